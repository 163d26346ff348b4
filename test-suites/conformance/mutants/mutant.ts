import type { Harness } from '@wrkr/conformance';
import { Broker, MemoryBackend } from '@wrkr/memory';
import type { Backend, Capabilities } from 'wrkr/backend';

/** A memory backend, which has every optional method. */
export type Breakable = MemoryBackend & Required<Backend>;

export type BreakIt = (backend: Breakable) => void;

/** A backend that breaks one promise of the contract, and the case that is there to notice. */
export interface Mutant {
  /** What it does wrong: `it ...`. */
  readonly breaks: string;
  /** The id of a case. */
  readonly caughtBy: string;
  readonly breakIt: BreakIt;
  /** What it declares, where its case is for other backends than memory. */
  readonly declares?: Partial<Capabilities>;
}

/** As a broker declares it: leases that last as long as their connection. */
export const BROKER: Partial<Capabilities> = { lease: { kind: 'connection', maxMs: 1_800_000 } };

/** Backends of one namespace are broken alike and share their queues. */
export function harnessOf(breakIt: BreakIt, capabilities: Partial<Capabilities> = {}): Harness {
  const brokers = new Map<string, Broker>();
  return {
    create: ({ namespace }) => {
      const broker = brokers.get(namespace) ?? new Broker();
      brokers.set(namespace, broker);
      const backend = new MemoryBackend({ broker, capabilities }) as Breakable;
      breakIt(backend);
      return backend;
    },
    crash: (backend) => (backend as MemoryBackend).crash(),
    cut: (backend) => {
      (backend as MemoryBackend).cut();
      return () => (backend as MemoryBackend).restore();
    },
  };
}
