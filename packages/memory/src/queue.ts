import { Bag, type Delivery, DueHeap, type Filter, type Ms, type QueueKind, type QueueStats, RELAY } from 'wrkr/backend';
import { Fifo } from './fifo.ts';
import { IdIndex } from './id-index.ts';
import type { Item } from './item.ts';
import type { MemoryConsumer } from './memory-consumer.ts';

/**
 * One queue: what waits in it, what is held, and who consumes it.
 *
 * An item has one place: `#ready` if it was due when it came, which is the usual case and costs no sorting; `#delayed` if it was
 * not, or came back; `#held` while it is handed out. What is due is taken by due time, then arrival.
 *
 * Whatever may let an item move on (a send, a settlement, a new consumer, a raised limit, time) calls `wake()`. The pump then runs
 * once, in a microtask, takes back expired leases and hands out what is due, to the consumers in turn.
 */
export class Queue {
  readonly name: string;
  readonly kind: QueueKind;
  readonly #ready = new Fifo();
  readonly #delayed = new DueHeap<Item>();
  readonly #held = new Bag<Item>();
  readonly #keys = new Map<string, Item>();
  /** Made when first asked for: events that only pass through never need it. */
  #ids: IdIndex | undefined;
  /** Consumers that may be given something, or still hold something. */
  #members: MemoryConsumer[] = [];
  #turn = 0;
  #awake = false;
  /** No lease ends before this. */
  #firstLease: Ms = Number.POSITIVE_INFINITY;
  #alarm: { readonly at: Ms; readonly cancel: () => void } | undefined;

  constructor(name: string, kind: QueueKind) {
    this.name = name;
    this.kind = kind;
  }

  /** The event that bears this key and counts: in `$relay` until it is handed out for the first time. */
  bearerOf(key: string): Item | undefined {
    const item = this.#keys.get(key);
    return item && item.handouts > 0 && this.name === RELAY ? undefined : item;
  }

  /** Something with this id is here, in whatever state. */
  hasId(id: string): boolean {
    return this.#byId().has(id);
  }

  insert(item: Item, now: Ms): void {
    this.#ids?.add(item);
    if (item.key !== undefined && !this.bearerOf(item.key)) this.#keys.set(item.key, item);
    const inOrder = item.at <= now && item.at >= this.#ready.newest;
    this.#put(item, inOrder ? this.#ready : this.#delayed);
    this.wake();
  }

  /** Out of its place, whichever it is, and out of the queue. */
  remove(item: Item): void {
    if (item.holder) this.#letGo(item);
    else item.place?.remove(item);
    this.#ids?.remove(item);
    if (item.key !== undefined && this.#keys.get(item.key) === item) this.#keys.delete(item.key);
  }

  /** What this hand-out holds, unless its lease is over. */
  heldBy(consumer: MemoryConsumer, delivery: Delivery, now: Ms): Item | undefined {
    const item = delivery as Item;
    return item.holder === consumer && item.leaseUntil > now ? item : undefined;
  }

  extend(item: Item, until: Ms): void {
    item.leaseUntil = until;
    this.#firstLease = Math.min(this.#firstLease, until);
    this.wake();
  }

  join(consumer: MemoryConsumer): void {
    this.#members.push(consumer);
    this.wake();
  }

  /** The consumer gets nothing more, and its clock is not ours any longer. What it holds stays held until its leases end. */
  leave(consumer: MemoryConsumer): void {
    this.#members = this.#members.filter((member) => member !== consumer);
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.wake();
  }

  giveBack(consumer: MemoryConsumer): void {
    for (const item of this.#held) if (item.holder === consumer) this.#putBack(item);
  }

  /** Everything goes, also from the hands of those who hold it. */
  drop(): void {
    for (const item of this.#items()) this.remove(item);
    for (const member of this.#members) {
      this.leave(member);
      member.end();
    }
  }

  wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    queueMicrotask(this.#pump);
  }

  *matching({ id, tid, key, name }: Filter): Iterable<Item> {
    for (const item of id === undefined ? this.#items() : this.#byId().get(id)) {
      const fits =
        (tid === undefined || item.tid === tid) &&
        (key === undefined || item.key === key) &&
        (name === undefined || item.name === name);
      if (fits) yield item;
    }
  }

  stats(now: Ms): QueueStats {
    let ready = this.#ready.size;
    for (const item of this.#delayed) if (item.at <= now) ready++;
    const delayed = this.#ready.size + this.#delayed.size - ready;
    return { ready, delayed, held: this.#held.size, oldestReadyAt: this.#nextDue(now)?.at ?? null };
  }

  readonly #pump = (): void => {
    this.#awake = false;
    const now = this.#members[0]?.now();
    if (now === undefined) return;
    if (now >= this.#firstLease) this.#expire(now);
    const batches = this.#handOut(now);
    this.#setAlarm(now);
    for (const [consumer, batch] of batches) consumer.sink.deliver(batch);
  };

  #handOut(now: Ms): Map<MemoryConsumer, Delivery[]> {
    const batches = new Map<MemoryConsumer, Delivery[]>();
    for (let next = this.#nextDue(now); next; next = this.#nextDue(now)) {
      const consumer = this.#nextWithRoom();
      if (!consumer) break;
      this.#hold(next, consumer, now);
      const batch = batches.get(consumer);
      if (batch) batch.push(next);
      else batches.set(consumer, [next]);
    }
    return batches;
  }

  #nextDue(now: Ms): Item | undefined {
    const ready = this.#ready.peek();
    const delayed = this.#delayed.peek();
    if (!delayed || delayed.at > now) return ready;
    if (!ready || delayed.at < ready.at) return delayed;
    return delayed.at === ready.at && delayed.seq < ready.seq ? delayed : ready;
  }

  #nextWithRoom(): MemoryConsumer | undefined {
    const members = this.#members;
    for (let i = 0; i < members.length; i++) {
      const member = members[(this.#turn + i) % members.length] as MemoryConsumer;
      if (!member.hasRoom) continue;
      this.#turn += i + 1;
      return member;
    }
    return undefined;
  }

  #hold(item: Item, consumer: MemoryConsumer, now: Ms): void {
    item.place?.remove(item);
    item.handouts++;
    item.holder = consumer;
    item.leaseUntil = now + consumer.leaseMs;
    this.#firstLease = Math.min(this.#firstLease, item.leaseUntil);
    consumer.took();
    this.#held.add(item);
  }

  #letGo(item: Item): void {
    this.#held.remove(item);
    item.holder?.freed();
    item.holder = undefined;
    this.wake();
  }

  #putBack(item: Item): void {
    this.remove(item);
    const again = item.again();
    this.#ids?.add(again);
    if (again.key !== undefined && !this.#keys.has(again.key)) this.#keys.set(again.key, again);
    this.#put(again, this.#delayed);
  }

  #put(item: Item, place: Fifo | DueHeap<Item>): void {
    place.push(item);
    item.place = place;
  }

  #expire(now: Ms): void {
    this.#firstLease = Number.POSITIVE_INFINITY;
    for (const item of this.#held) {
      if (item.leaseUntil > now) {
        this.#firstLease = Math.min(this.#firstLease, item.leaseUntil);
      } else {
        const { holder } = item;
        this.#putBack(item);
        holder?.lost(item);
      }
    }
  }

  #items(): readonly Item[] {
    return [...this.#ready, ...this.#delayed, ...this.#held];
  }

  #byId(): IdIndex {
    if (!this.#ids) {
      this.#ids = new IdIndex();
      for (const item of this.#items()) this.#ids.add(item);
    }
    return this.#ids;
  }

  /** One timer for the next thing that time will do here. */
  #setAlarm(now: Ms): void {
    const next = this.#delayed.peek()?.at ?? Number.POSITIVE_INFINITY;
    const at = Math.min(this.#firstLease, next > now ? next : Number.POSITIVE_INFINITY);
    if (this.#alarm?.at === at) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    const clock = this.#members[0]?.clock;
    if (!clock || at === Number.POSITIVE_INFINITY) return;
    const ring = (): void => {
      this.#alarm = undefined;
      this.wake();
    };
    this.#alarm = { at, cancel: clock.after(at - now, ring) };
  }
}
