import type { Capabilities } from 'wrkr/backend';
import { Broker } from './broker.ts';

export interface MemoryOptions {
  /** Given to several backends, they see the same queues. @default one of its own */
  readonly broker?: Broker;
  /** Declares less than it can, to try a program against what another backend will offer. What is not declared is not there. */
  readonly capabilities?: Partial<Capabilities>;
}

/** What it can do when it is asked to do all that it can. */
export const CAPABILITIES: Capabilities = {
  contract: 1,
  scope: 'process',
  durable: false,
  lease: { kind: 'timed', minMs: 1 },
  delay: { maxMs: Number.MAX_SAFE_INTEGER, granularityMs: 1, fanOut: false },
  filter: ['id', 'key', 'tid', 'name', 'queue'],
  cancel: 'all',
  browse: 'all',
  dead: 'browse',
  change: true,
  dedupe: true,
  tx: false,
  handouts: 'exact',
  fifo: true,
  stats: 'exact',
  clock: 'injected',
  limits: {
    bodyBytes: 64 * 1024 * 1024,
    headerBytes: 64 * 1024,
    nameBytes: 255,
    batch: 250,
    batchBytes: 64 * 1024 * 1024,
    inFlight: 1,
  },
};

/** Throws a TypeError for options that make no sense. */
export function checkOptions(options: MemoryOptions): void {
  refuseUnknown('new MemoryBackend', options, { broker: true, capabilities: true });
  refuseUnknown('capabilities', options.capabilities ?? {}, CAPABILITIES);
  if (options.broker !== undefined && !(options.broker instanceof Broker))
    throw new TypeError('new MemoryBackend: broker must be a Broker of @wrkr/memory');
}

function refuseUnknown(what: string, given: object, known: object): void {
  if (typeof given !== 'object' || given === null) throw new TypeError(`${what} takes an object, not ${String(given)}`);
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(known, key));
  if (unknown !== undefined) throw new TypeError(`${what} has no '${unknown}': it can have ${Object.keys(known).join(', ')}`);
}
