import { isBackendError } from '../contract/backend-error.ts';
import type { Backend, BackendError, Filter, Ms, Stored } from '../contract/contract.ts';
import { deadQueueOf, originOf } from '../contract/words.ts';
import type { Core } from '../core.ts';
import { historyOf, type PastError } from '../deliver/history.ts';
import type { Leases } from '../deliver/leases.ts';
import { REVIVED, revived } from '../deliver/verdict.ts';
import { WrkrError } from '../errors.ts';
import { ATTEMPT, DEAD_AT, numberIn } from '../headers.ts';
import {
  checkAddressable,
  type EventFilter,
  type Limited,
  type Paging,
  readLimited,
  readList,
  unsupported,
} from '../schedule/filters.ts';
import { failed, failedToList, type List, readStored } from '../schedule/waiting.ts';
import { Drain, type Settle } from './drain.ts';

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

/** Of one backend: lists what was given up, sends it back to where it died, or throws it away. */
export class DeadLetters {
  readonly #core: Core;
  readonly #leases: Leases;
  readonly #backend: Backend;

  constructor(core: Core, leases: Leases, backend: Backend) {
    this.#core = core;
    this.#leases = leases;
    this.#backend = backend;
  }

  /** Queue by queue: `next` names the queue, then the backend's place in it. */
  async list(list: EventFilter & Paging): Promise<List<DeadLetter>> {
    const { filter, limit, after } = readList(list);
    const backend = this.#backend;
    if (!backend.browse || backend.capabilities.dead !== 'browse') throw unsupported('list dead letters');
    const queues = await this.#queuesOf(filter);
    const [start, place] = after?.split('\n') ?? [];
    const items: DeadLetter[] = [];
    for (const queue of queues.filter((name) => start === undefined || name >= start)) {
      const page = { limit: limit - items.length, ...(queue === start && place && { after: place }) };
      const found = await this.#core.calls.bounded(backend.browse({ ...filter, queue }, page)).catch(failedToList('deadLetters'));
      items.push(...found.items.map(deadLetterOf));
      if (found.next !== undefined) return { items, next: `${queue}\n${found.next}` };
      const following = queues[queues.indexOf(queue) + 1];
      if (items.length === limit && following !== undefined) return { items, next: following };
    }
    return { items };
  }

  /** Back to the queue where each died, as if it had not been tried yet; its history stays. Resolves with how many. */
  async redrive(given: EventFilter & Limited): Promise<number> {
    const { filter, limit } = readLimited(given);
    const backend = this.#backend;
    if (backend.capabilities.dead === 'drain') {
      return this.#drain(filter, limit, (intake, holding) => {
        const { queue, headers } = holding.d;
        intake.move(holding, { queue: originOf(queue), at: backend.now(), headers: revived(headers) });
      }).catch(failed('redrive'));
    }
    return this.#each(filter, limit, 'redrive', (one) => {
      const to = { queue: originOf(one.queue), at: backend.now(), headers: REVIVED };
      return backend.change?.(one, to);
    });
  }

  /** Resolves with how many. */
  async discard(given: EventFilter & Limited): Promise<number> {
    const { filter, limit } = readLimited(given);
    const backend = this.#backend;
    if (backend.capabilities.dead === 'drain')
      return this.#drain(filter, limit, (intake, holding) => intake.ack(holding)).catch(failed('discard'));
    return this.#each(filter, limit, 'discard', (one) => backend.cancel?.(one));
  }

  /** Does it to all that match, or to so many of them, one by one. A queue where it cannot be done does not keep it from the others. */
  async #each(filter: Filter, limit: number, call: string, act: Act): Promise<number> {
    let count = 0;
    const refused: string[] = [];
    for (const queue of await this.#queuesOf(filter)) {
      for (const some of await this.#upTo(limit - count, { ...filter, queue })) {
        const done = act(some);
        if (!done) throw unsupported(`${call} dead letters`);
        const result = await this.#core.calls.bounded(done).catch(refusal).catch(failed(call));
        if (result instanceof Error) refused.push(`${originOf(queue)}: ${result.message}`);
        else count += result ?? 0;
      }
    }
    if (refused.length === 0 || (await this.#areEmpty(filter))) return count;
    throw new WrkrError('WRKR_BACKEND', `${call} reached ${count} dead letters, but not those of ${refused.join('; ')}`);
  }

  /** Nothing matches any more: what was refused was about nothing. */
  async #areEmpty(filter: Filter): Promise<boolean> {
    const { queue } = filter;
    const { items } = await this.list({ ...filter, ...(queue !== undefined && { queue }) } as EventFilter);
    return items.length === 0;
  }

  async #upTo(limit: number, filter: InQueue): Promise<readonly InQueue[]> {
    const backend = this.#backend;
    if (limit === Number.POSITIVE_INFINITY) return [filter];
    if (limit === 0) return [];
    if (!backend.browse) throw unsupported('take a limited number of dead letters');
    const { items } = await this.#core.calls.bounded(backend.browse(filter, { limit })).catch(failed('deadLetters'));
    return items.map(({ id, queue }) => ({ id, queue }));
  }

  async #drain({ queue, ...others }: Filter, limit: number, settle: Settle): Promise<number> {
    if (queue === undefined || Object.keys(others).length > 0)
      throw unsupported('choose among dead letters: give { queue, limit? }');
    return new Drain(this.#core, this.#leases, { backend: this.#backend, queue: deadQueueOf(queue) }, settle).take(limit);
  }

  /** The parked queues that the filter means. */
  async #queuesOf(filter: Filter): Promise<readonly string[]> {
    const backend = this.#backend;
    checkAddressable(filter, backend.capabilities);
    if (filter.queue !== undefined) return [deadQueueOf(filter.queue)];
    if (!backend.bindings) throw unsupported('list its queues: name one');
    const parked = await this.#core.calls.bounded(backend.bindings({ kind: 'parked' })).catch(failed('bindings'));
    return [...new Set(parked.map(({ queue }) => queue))].sort();
  }
}

/** A queue that an event cannot go to is not there (any more). */
function refusal(error: unknown): BackendError {
  if (isBackendError(error) && error.code === 'invalid') return error;
  throw error;
}

type InQueue = Filter & { readonly queue: string };

/** What is done to those that a filter addresses; nothing where the backend cannot. */
type Act = (some: InQueue) => Promise<number | null> | undefined;

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
