import type { Delivery, Due, Headers, Ms, Outgoing, Stored } from 'wrkr/backend';
import type { MemoryConsumer } from './memory-consumer.ts';

/** Where an item is: among those that are ready, delayed or held. */
export interface Place {
  remove(item: Item): boolean;
}

let arrivals = 0;

/**
 * One event in one queue. It is handed out as it is: its identity is the fence. When it comes back unsettled, another takes its
 * place ({@link again}), and whoever still has this one can settle nothing with it.
 */
export class Item implements Delivery, Due {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly tid?: string;
  readonly at: Ms;
  readonly sentAt: Ms;
  readonly token = undefined;
  key?: string;
  readonly body: Uint8Array;
  headers: Headers;
  handouts = 0;
  leaseUntil: Ms = 0;
  /** Order of arrival, over all queues. */
  seq: number = ++arrivals;
  holder: MemoryConsumer | undefined;
  place: Place | undefined;
  /** Owned by its place. */
  slot = -1;
  /** Others of its queue have, or had, the same id. */
  hasTwins = false;

  /** `at` is when it is due here. */
  constructor(from: Outgoing | Item, queue: string, at: Ms) {
    this.id = from.id;
    this.name = from.name;
    this.queue = queue;
    if (from.tid !== undefined) this.tid = from.tid;
    if (from.key !== undefined) this.key = from.key;
    this.at = at;
    this.sentAt = from.sentAt;
    this.headers = from.headers;
    this.body = from.body;
  }

  /** What takes its place when it comes back: due as before, and in the same turn. */
  again(): Item {
    const item = new Item(this, this.queue, this.at);
    item.seq = this.seq;
    item.handouts = this.handouts;
    item.hasTwins = this.hasTwins;
    return item;
  }

  /** As it is seen from outside. */
  stored(now: Ms): Stored {
    const { id, name, queue, tid, key, at, sentAt, headers, body, handouts } = this;
    const waits = at > now ? 'delayed' : 'ready';
    const state = this.holder ? 'held' : waits;
    const optional = { ...(tid !== undefined && { tid }), ...(key !== undefined && { key }) };
    return { id, name, queue, ...optional, at, sentAt, headers, body, handouts, state };
  }
}
