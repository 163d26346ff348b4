import { BindingTrie } from '../contract/binding-trie.ts';
import type { Ack } from '../deliver/ack.ts';
import type { HandlerContext } from '../deliver/context.ts';
import { WrkrError } from '../errors.ts';
import type { AnyEvents, Event, EventMap } from '../types.ts';
import { CONCURRENCY, type HandlerSettings } from './options.ts';

/** What it returns is ignored: if it returns or resolves, the event is acked; if it throws or rejects, tried again. */
export type Handler<Events extends EventMap = AnyEvents, Pattern extends string = string> = (
  event: Event<Events, Pattern>,
  ack: Ack,
  context: HandlerContext<Events>,
) => unknown;

/** One handler of this process for one pattern of one queue. */
export interface Registration {
  readonly queue: string;
  readonly pattern: string;
  readonly handler: Handler;
  readonly settings: HandlerSettings;
  /** Cleared by `unsubscribe`: it goes on with what the queue still has, and may be replaced. */
  bound: boolean;
}

/** The handlers of one queue in this process. */
export class QueueHandlers {
  readonly queue: string;
  readonly #all = new Map<string, Registration>();
  readonly #byName = new BindingTrie<Registration>();
  /** By the user, in this process. */
  paused = false;
  constructor(queue: string) {
    this.queue = queue;
  }

  get size(): number {
    return this.#all.size;
  }

  get patterns(): Iterable<string> {
    return this.#all.keys();
  }

  get registrations(): Iterable<Registration> {
    return this.#all.values();
  }

  /** Handlers at once, in this process. */
  get concurrency(): number {
    return this.#given() ?? CONCURRENCY;
  }

  add(registration: Registration): void {
    const { queue, pattern, settings } = registration;
    const previous = this.#all.get(pattern);
    if (previous?.bound) {
      throw new WrkrError(
        'WRKR_INVALID_CALL',
        `queue '${queue}' has a handler for '${pattern}' in this process already: dispose it first`,
      );
    }
    const { concurrency } = settings;
    const other = this.#given();
    if (concurrency !== undefined && other !== undefined && other !== concurrency) {
      const message = `queue '${queue}' has concurrency ${other} in this process, not ${concurrency}: it is for the whole queue`;
      throw new WrkrError('WRKR_INVALID_OPTION', message);
    }
    if (previous) this.remove(previous);
    this.#all.set(pattern, registration);
    this.#byName.add(pattern, registration);
  }

  remove(registration: Registration): void {
    if (this.#all.get(registration.pattern) !== registration) return;
    this.#all.delete(registration.pattern);
    this.#byName.remove(registration.pattern, registration);
  }

  /** What one of them said; they all say the same. */
  #given(): number | undefined {
    for (const { settings } of this.#all.values()) if (settings.concurrency !== undefined) return settings.concurrency;
    return undefined;
  }

  get(pattern: string): Registration | undefined {
    return this.#all.get(pattern);
  }

  /** The one that runs: exact before `*` before `#`, then the one registered first. */
  choose(name: string): Registration | undefined {
    const fitting = this.#byName.match(name);
    if (fitting.length < 2) return fitting[0];
    const order = [...this.#all.values()];
    return [...fitting].sort((a, b) => breadth(a.pattern) - breadth(b.pattern) || order.indexOf(a) - order.indexOf(b))[0];
  }
}

function breadth(pattern: string): number {
  if (pattern.includes('#')) return 2;
  return pattern.includes('*') ? 1 : 0;
}
