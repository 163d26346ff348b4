import { isBackendError } from '../contract/backend-error.ts';
import type { Backend, Filter, Stored } from '../contract/contract.ts';
import { RELAY } from '../contract/words.ts';
import type { Core } from '../core.ts';
import { type DeliveredEvent, eventOf } from '../deliver/delivered-event.ts';
import { fromBackend, WrkrError } from '../errors.ts';
import { DUE, NO_HEADERS, TTL } from '../headers.ts';
import { instantOf, type When } from '../time/when.ts';
import { relayed, waiting } from './address.ts';
import { checkAddressable, type EventFilter, type Paging, readEventList, readFilter, unsupported } from './filters.ts';

/** An event that waits: not yet due, or in a queue. */
export interface WaitingEvent extends Omit<DeliveredEvent, 'queue'> {
  /** Absent while it is not yet due and belongs to no queue. */
  readonly queue: string | undefined;
  readonly state: 'ready' | 'delayed';
}

export interface List<Item> {
  readonly items: readonly Item[];
  /** Give it as `after` for the next page; absent at the end. */
  readonly next?: string;
}

/** Looks at what waits, takes back what is no longer wanted, and changes when it comes. */
export class Waiting {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  async find(list: EventFilter & Paging): Promise<List<WaitingEvent>> {
    const { filter, ...page } = readEventList(list);
    const { backend, placed } = this.#place(filter);
    const { browse } = backend.capabilities;
    if (!backend.browse || !browse || (browse === 'delayed' && filter.queue)) throw unsupported('list what waits');
    const { calls } = this.#core;
    const found: WaitingEvent[] = [];
    for (let after = page.after; ; ) {
      const next = await calls
        .bounded(backend.browse(placed, pageOf(page.limit - found.length, after)))
        .catch(failedToList('find'));
      found.push(...next.items.filter((item) => this.#waits(item, filter)).map(waitingEvent));
      after = next.next;
      if (after === undefined) return { items: found };
      if (found.length === page.limit) return { items: found, next: after };
    }
  }

  async cancel(given: EventFilter): Promise<number | null> {
    const filter = readFilter(given);
    const { backend, placed } = this.#place(filter);
    const { cancel } = backend.capabilities;
    if (!backend.cancel || !cancel || (cancel !== 'all' && filter.queue)) throw unsupported('cancel events');
    if (cancel === 'receipt' && (filter.id === undefined || filter.at === undefined))
      throw unsupported('cancel events without their receipt, { id, when }');
    return this.#core.calls.bounded(backend.cancel(placed)).catch(failed('cancel'));
  }

  /** It keeps its id. What is being sent on at this moment is not found any more, and comes at its old time. */
  async reschedule(given: EventFilter, when: When): Promise<number> {
    const filter = readFilter(given);
    const { backend, placed } = this.#place(filter);
    const { delay } = backend.capabilities;
    if (!backend.change || !delay) throw unsupported('reschedule events');
    const now = backend.now();
    const { at, headers } = waiting(NO_HEADERS, Math.max(instantOf(when, now), now), now, delay.maxMs);
    const expiry = filter.queue === undefined ? {} : { [TTL]: '' }; // in a queue it would count from the time before
    const to = { at, headers: { [DUE]: headers[DUE] ?? '', ...expiry } };
    return this.#core.calls.bounded(backend.change(placed, to)).catch(failed('reschedule'));
  }

  /** Without a queue, what is not yet due is meant: in the scheduler's `$relay`, unless the backend keeps it itself. */
  #place(filter: Filter): { readonly backend: Backend; readonly placed: Filter } {
    const backend = filter.queue === undefined ? this.#core.scheduler : this.#core.backend;
    const { capabilities } = backend;
    checkAddressable(filter, capabilities);
    const parked = filter.queue === undefined && capabilities.delay && !capabilities.delay.fanOut;
    return { backend, placed: parked ? { ...filter, queue: RELAY } : filter };
  }

  #waits(item: Stored, filter: Filter): boolean {
    return filter.queue === undefined ? item.state === 'delayed' : item.state !== 'held';
  }
}

/** What is stored, as its reader sees it. A payload that cannot be read is left out. */
export function readStored(item: Stored): DeliveredEvent {
  const headers = item.queue === RELAY ? relayed(item) : item.headers;
  const delivery = { ...item, headers, leaseUntil: 0, token: undefined };
  try {
    return eventOf(delivery);
  } catch {
    return eventOf({ ...delivery, body: new Uint8Array(0) });
  }
}

export function pageOf(limit: number, after: string | undefined): { readonly limit: number; readonly after?: string } {
  return after === undefined ? { limit } : { limit, after };
}

export function failed(call: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof WrkrError ? error : fromBackend(error, call);
  };
}

/** The same for a list: what a backend finds invalid there is the caller's `after`. */
export function failedToList(call: string): (error: unknown) => never {
  return (error) => {
    if (isBackendError(error) && error.code === 'invalid')
      throw new WrkrError('WRKR_INVALID_FILTER', `${call}: 'after' must be 'next' of the page before: ${error.message}`, {
        cause: error,
      });
    return failed(call)(error);
  };
}

function waitingEvent(item: Stored): WaitingEvent {
  const { queue, ...event } = readStored(item);
  return { ...event, queue: queue === RELAY ? undefined : queue, state: item.state === 'delayed' ? 'delayed' : 'ready' };
}
