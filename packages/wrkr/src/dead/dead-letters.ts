import type { Filter, Ms, Stored } from '../contract/contract.ts';
import { deadQueueOf, originOf } from '../contract/words.ts';
import type { Core } from '../core.ts';
import { historyOf, type PastError } from '../deliver/history.ts';
import { REVIVED } from '../deliver/verdict.ts';
import { ATTEMPT, DEAD_AT, numberIn } from '../headers.ts';
import { checkAddressable, type EventFilter, type Paging, readFilter, readList, unsupported } from '../schedule/filters.ts';
import { failed, type List, readStored } from '../schedule/waiting.ts';

/** An event that was given up, kept until someone redrives or discards it. */
export interface DeadLetter {
  readonly id: string;
  readonly name: string;
  readonly tid: string | undefined;
  readonly payload: unknown;
  /** Where it died. */
  readonly queue: string;
  readonly diedAt: Date;
  /** The error that ended it. */
  readonly error: { readonly message: string; readonly code?: string; readonly stack?: string };
  /** Runs that were made. */
  readonly attempts: number;
  /** The last errors, oldest first, also those before it was redriven. */
  readonly history: readonly PastError[];
}

/** Lists what was given up, sends it back to where it died, or throws it away. */
export class DeadLetters {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Queue by queue: `next` names the queue, then the backend's place in it. */
  async list(list: EventFilter & Paging): Promise<List<DeadLetter>> {
    const { filter, limit, after } = readList(list);
    const { backend } = this.#core;
    if (!backend.browse || backend.capabilities.dead !== 'browse') throw unsupported('list dead letters');
    const queues = await this.#queuesOf(filter);
    const [start, place] = after?.split('\n') ?? [];
    const items: DeadLetter[] = [];
    for (const queue of queues.filter((name) => start === undefined || name >= start)) {
      const page = { limit: limit - items.length, ...(queue === start && place && { after: place }) };
      const found = await backend.browse({ ...filter, queue }, page).catch(failed('deadLetters'));
      items.push(...found.items.map(deadLetterOf));
      if (found.next !== undefined) return { items, next: `${queue}\n${found.next}` };
      const following = queues[queues.indexOf(queue) + 1];
      if (items.length === limit && following !== undefined) return { items, next: following };
    }
    return { items };
  }

  /** Back to the queue where each died, as if it had not been tried yet; its history stays. Resolves with how many. */
  async redrive(given: EventFilter): Promise<number> {
    const filter = readFilter(given);
    const { backend } = this.#core;
    if (!backend.change || backend.capabilities.dead !== 'browse') throw unsupported('redrive dead letters');
    let count = 0;
    for (const queue of await this.#queuesOf(filter)) {
      const to = { queue: originOf(queue), at: backend.now(), headers: REVIVED };
      count += await backend.change({ ...filter, queue }, to).catch(failed('redrive'));
    }
    return count;
  }

  /** Resolves with how many. */
  async discard(given: EventFilter): Promise<number> {
    const filter = readFilter(given);
    const { backend } = this.#core;
    if (!backend.cancel || backend.capabilities.dead !== 'browse') throw unsupported('discard dead letters');
    let count = 0;
    for (const queue of await this.#queuesOf(filter)) {
      count += (await backend.cancel({ ...filter, queue }).catch(failed('discard'))) ?? 0;
    }
    return count;
  }

  /** The parked queues that the filter means. */
  async #queuesOf(filter: Filter): Promise<readonly string[]> {
    const { backend } = this.#core;
    checkAddressable(filter, backend.capabilities);
    if (filter.queue !== undefined) return [deadQueueOf(filter.queue)];
    if (!backend.bindings) throw unsupported('list its queues: name one');
    const parked = await backend.bindings({ kind: 'parked' }).catch(failed('bindings'));
    return [...new Set(parked.map(({ queue }) => queue))].sort();
  }
}

function deadLetterOf(item: Stored): DeadLetter {
  const { id, name, tid, payload } = readStored(item);
  const history = historyOf(item.headers);
  const { message, code, stack } = history.at(-1) ?? { message: 'unknown' };
  const diedAt: Ms = numberIn(item.headers, DEAD_AT, item.at);
  return {
    id,
    name,
    tid,
    payload,
    queue: originOf(item.queue),
    diedAt: new Date(diedAt),
    error: { message, ...(code !== undefined && { code }), ...(stack !== undefined && { stack }) },
    attempts: numberIn(item.headers, ATTEMPT, 0),
    history,
  };
}
