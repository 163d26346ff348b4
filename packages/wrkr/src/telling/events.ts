import type { WrkrError } from '../errors.ts';
import type { PublishedEvent } from '../publish/event-input.ts';

/** `starting` until `start()` has resolved; `down` while the backend has lost its server; `closed` for good after `stop()`. */
export type State = 'new' | 'starting' | 'up' | 'down' | 'stopping' | 'closed';

/** Which event it is about, and in which queue. */
export interface Attempted {
  readonly id: string;
  readonly name: string;
  readonly tid: string | undefined;
  readonly queue: string;
  /** Attempts so far, this one included. */
  readonly attempt: number;
}

/** What a listener gets, by the name that it listens to. */
export interface BusEvents {
  /** Something that no caller is waiting to be told. */
  error: [error: WrkrError];
  /** An attempt failed and will be repeated. */
  retry: [event: Attempted, error: unknown, at: Date];
  /** An event has become a dead letter. */
  dead: [event: Attempted, error: unknown];
  /** An event was dropped, unhandled, because its `ttl` was over. */
  expired: [event: Omit<Attempted, 'attempt'>];
  /** An event was stored; a follow-up, when its handler has acked. */
  published: [event: PublishedEvent];
  /** An event matched no subscription, where the backend can know. */
  unrouted: [event: { readonly id: string; readonly name: string }];
  state: [state: State];
}

/** All that can be listened to. */
export const EVENTS: ReadonlySet<string> = new Set<keyof BusEvents>([
  'error',
  'retry',
  'dead',
  'expired',
  'published',
  'unrouted',
  'state',
]);

type Listener = (...details: never[]) => unknown;

/** Listeners that cannot hurt the bus: what one of them throws goes to `onThrow`, and the others are still told. */
export class Listeners {
  readonly #byName = new Map<keyof BusEvents, Set<Listener>>();
  readonly #onThrow: (thrown: unknown, name: string) => void;

  constructor(onThrow: (thrown: unknown, name: string) => void) {
    this.#onThrow = onThrow;
  }

  /** Returns what ends it. */
  add<Name extends keyof BusEvents>(name: Name, listener: (...details: BusEvents[Name]) => void): () => void {
    const listeners = this.#byName.get(name) ?? new Set();
    listeners.add(listener);
    this.#byName.set(name, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#byName.get(name) === listeners) this.#byName.delete(name);
    };
  }

  has(name: keyof BusEvents): boolean {
    return this.#byName.has(name);
  }

  emit<Name extends keyof BusEvents>(name: Name, details: BusEvents[Name]): void {
    for (const listener of [...(this.#byName.get(name) ?? [])]) void this.#tell(name, listener, details);
  }

  async #tell(name: string, listener: Listener, details: readonly unknown[]): Promise<void> {
    try {
      await listener(...(details as never[]));
    } catch (thrown) {
      this.#onThrow(thrown, name);
    }
  }
}
