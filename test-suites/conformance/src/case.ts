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
  return { id, title, needs, hooks, methods, run };
}

function need(what: string, met: (capabilities: Capabilities) => boolean): Need {
  return { what, met };
}

export const timedLease: Need = need('timed leases', ({ lease }) => lease.kind === 'timed');
export const delay: Need = need('delay', (capabilities) => capabilities.delay !== false);
export const fifo: Need = need('fifo', (capabilities) => capabilities.fifo);
export const cancelAll: Need = need("cancel: 'all'", ({ cancel }) => cancel === 'all');
export const cancels: Need = need('cancel', ({ cancel }) => cancel !== false);
export const change: Need = need('change', (capabilities) => capabilities.change);
export const dedupe: Need = need('dedupe', (capabilities) => capabilities.dedupe);
export const browseAll: Need = need("browse: 'all'", ({ browse }) => browse === 'all');
export const stats: Need = need('stats', (capabilities) => capabilities.stats !== false);
export const deadBrowse: Need = need("dead: 'browse'", ({ dead }) => dead === 'browse');
export const exactHandouts: Need = need("handouts: 'exact'", ({ handouts }) => handouts === 'exact');
export const seenHandouts: Need = need("handouts: 'exact' or 'flag'", ({ handouts }) => handouts !== 'none');
export const maxDelay = (ms: number): Need =>
  need(`delay.maxMs of ${ms} ms`, (capabilities) => capabilities.delay !== false && capabilities.delay.maxMs >= ms);
export const filterBy = (key: Capabilities['filter'][number]): Need =>
  need(`filter by ${key}`, ({ filter }) => filter.includes(key));
