import type { Capabilities } from 'wrkr/backend';
import type { Hook } from './harness.ts';
import type { World } from './world.ts';

/** What a backend must declare for a case to apply; in words for the report. */
export interface Need {
  readonly what: string;
  readonly met: (capabilities: Capabilities) => boolean;
}

/** One promise of the contract, tried. */
export interface Case {
  /** Stable: reports, waivers and links name it. */
  readonly id: string;
  /** The promise, as a sentence. */
  readonly title: string;
  readonly needs: readonly Need[];
  readonly hooks: readonly Hook[];
  /** Optional methods without a capability of their own: the case applies to backends that have them. */
  readonly methods: readonly OptionalMethod[];
  /** It goes through a bus: what is delayed may be in a scheduler, and then it is the scheduler that must be able to. */
  readonly throughCore: boolean;
  readonly run: (world: World) => Promise<void>;
}

export type OptionalMethod = 'cancel' | 'change' | 'browse' | 'bindings' | 'stats' | 'drop';

export interface Chapter {
  readonly name: string;
  readonly cases: readonly Case[];
}

interface Gates {
  readonly needs?: readonly Need[];
  readonly hooks?: readonly Hook[];
  readonly methods?: readonly OptionalMethod[];
}

/** `it('ack.gone-for-good', 'an acked event never comes back', run)`. */
export function it(id: string, title: string, run: Case['run'], { needs = [], hooks = [], methods = [] }: Gates = {}): Case {
  return { id, title, needs, hooks, methods, throughCore: false, run };
}

/** A case that goes through core. */
export function itInCore(id: string, title: string, run: Case['run'], gates: Gates = {}): Case {
  return { ...it(id, title, run, gates), throughCore: true };
}
