import { deadQueueOf } from '../contract/words.ts';
import type { Core } from '../core.ts';
import { WrkrError } from '../errors.ts';
import { checkQueue } from '../publish/names.ts';
import { unsupported } from '../schedule/filters.ts';
import { failed } from '../schedule/waiting.ts';
import type { Subscriptions } from './subscriptions.ts';

/** How many events a queue has; `null` where the backend cannot know. */
export interface Stats {
  readonly ready: number | null;
  readonly delayed: number | null;
  /** Handed out and not settled, in all processes. */
  readonly held: number | null;
  readonly dead: number | null;
}

/** What can be asked of, and done to, a queue as a whole. */
export class Queues {
  readonly #core: Core;
  readonly #subscriptions: Subscriptions;

  constructor(core: Core, subscriptions: Subscriptions) {
    this.#core = core;
    this.#subscriptions = subscriptions;
  }

  async stats(queue: string): Promise<Stats> {
    checkQueue(queue);
    const { backend } = this.#core;
    if (!backend.stats) throw unsupported('count events');
    const both = Promise.all([backend.stats(queue), backend.stats(deadQueueOf(queue))]);
    const [{ ready, delayed, held }, dead] = await this.#core.calls.bounded(both).catch(failed('stats'));
    return { ready, delayed, held, dead: sum(dead.ready, dead.delayed) };
  }

  async bindings(): Promise<readonly { readonly queue: string; readonly pattern: string }[]> {
    const { backend } = this.#core;
    if (!backend.bindings) throw unsupported('list subscriptions');
    const bindings = await this.#core.calls.bounded(backend.bindings({ kind: 'work' })).catch(failed('subscriptions'));
    return bindings.flatMap(({ queue, pattern }) => (pattern === undefined ? [] : [{ queue, pattern }]));
  }

  /** In this process: nothing new is begun, and what was not begun goes back. */
  pause(queue: string): void {
    checkQueue(queue);
    if (!this.#subscriptions.pause(queue)) throw notHere(queue);
  }

  resume(queue: string): void {
    checkQueue(queue);
    if (!this.#subscriptions.resume(queue)) throw notHere(queue);
  }

  /** What waits in it goes for good. Dead letters stay, and so does what is being handled. */
  async purge(queue: string): Promise<number | null> {
    checkQueue(queue);
    const { backend } = this.#core;
    const { cancel, filter } = backend.capabilities;
    if (!backend.cancel || cancel !== 'all' || !filter.includes('queue')) throw unsupported('purge a queue');
    return this.#core.calls.bounded(backend.cancel({ queue })).catch(failed('purge'));
  }

  /** With everything that belongs to it: handlers of this process, bindings, events, dead letters. */
  async delete(queue: string): Promise<void> {
    checkQueue(queue);
    const { backend } = this.#core;
    if (!backend.drop) throw unsupported('delete a queue');
    await this.#subscriptions.dismiss(queue).catch(failed('deleteQueue'));
    for (const one of [queue, deadQueueOf(queue)]) await this.#core.calls.bounded(backend.drop(one)).catch(failed('deleteQueue'));
  }
}

function sum(...figures: readonly (number | null)[]): number | null {
  return figures.reduce<number | null>((total, figure) => (total === null || figure === null ? null : total + figure), 0);
}

function notHere(queue: string): WrkrError {
  return new WrkrError('WRKR_INVALID_CALL', `queue '${queue}' has no handler in this process: subscribe it first`);
}
