import { Batcher } from '../calls/batcher.ts';
import { Bag, type Bagged } from '../contract/bag.ts';
import type { Backend, BackendError, Consumer, Delivery, Failure, Headers, Ms, QueueKind, Sink } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { asBackendError, fromBackend, isPassing } from '../errors.ts';
import { DUE, NO_HEADERS, withHeaders } from '../headers.ts';
import { waitingOn } from '../schedule/address.ts';
import { trace } from '../telling/trace.ts';
import type { Leases } from './leases.ts';
import { Waits } from './waits.ts';

/** Where a delivery goes instead of being acked. */
export interface Move {
  readonly queue: string;
  readonly at: Ms;
  readonly headers: Headers;
}

/** A delivery that this process holds and, once that is decided, its settlement. */
export class Holding implements Bagged {
  readonly d: Delivery;
  do: 'ack' | 'move' = 'ack';
  queue = '';
  at: Ms = 0;
  headers: Headers = NO_HEADERS;
  /** Of the bag of what is held; -1 when it is lost or settled. */
  slot = -1;

  constructor(delivery: Delivery) {
    this.d = delivery;
  }

  get held(): boolean {
    return this.slot >= 0;
  }
}

/** What an {@link Intake} takes from. */
export interface Source {
  readonly backend: Backend;
  readonly queue: string;
}

/** Who works on what an {@link Intake} holds. */
export interface Receiver {
  receive(batch: readonly Holding[]): void;
  /** No longer held: another may have it. */
  lost(holding: Holding): void;
  /** It could not be settled as it was to be; it stays held, and is tried in another way or again. */
  refused(holding: Holding, error: BackendError): void;
  /** The queue is gone: nothing more comes. */
  ended(): void;
}

/** Until a delivery is tried again that could be put nowhere else. */
const STUCK_FOR: Ms = 60_000;

/**
 * One queue as this process consumes it: knows what it holds, keeps the leases, and settles in batches, a batch per tick. A
 * delivery is held from its hand-out until its settlement is confirmed or its lease is lost; what is not held is not settled.
 */
export class Intake implements Sink {
  readonly queue: string;
  readonly #held = new Bag<Holding>();
  readonly #core: Core;
  readonly #backend: Backend;
  readonly #leases: Leases;
  readonly #receiver: Receiver;
  readonly #settlements: Batcher<Holding>;
  /** What waits here, because it can wait nowhere else. */
  readonly #waits: Waits;
  /** A promise, because deliveries may come before `consume` has resolved. */
  #consumer: Promise<Consumer> | undefined;

  constructor(core: Core, leases: Leases, { backend, queue }: Source, receiver: Receiver) {
    this.#core = core;
    this.#backend = backend;
    this.#waits = new Waits(core.clock);
    this.#leases = leases;
    this.queue = queue;
    this.#receiver = receiver;
    const { limits } = backend.capabilities;
    this.#settlements = new Batcher(
      (batch) => this.#settle(batch),
      () => limits,
    );
  }

  async open(max: number, kind: QueueKind = 'work'): Promise<void> {
    this.#leases.add(this);
    const { leaseMs } = this.#core.settings;
    const consume = (): Promise<Consumer> => this.#backend.consume(this.queue, this, { max, leaseMs, kind });
    const { calls, pauses, settings } = this.#core;
    this.#consumer = calls.repeated(consume, { patienceMs: settings.publishTimeoutMs, pauses });
    try {
      await this.#consumer;
    } catch (error) {
      this.#leases.remove(this);
      this.#consumer = undefined;
      throw error;
    }
  }

  /** Nothing, if it could not be opened: whoever opened it was told. */
  async limit(max: number): Promise<void> {
    const consumer = await this.#opened();
    consumer?.limit(max);
  }

  deliver(batch: readonly Delivery[]): void {
    this.#core.activity.steps++;
    const holdings = batch.map((delivery) => new Holding(delivery));
    for (const holding of holdings) this.#held.add(holding);
    if (this.keeps) this.#leases.wake();
    this.#receiver.receive(holdings);
  }

  lost(batch: readonly Delivery[] | 'all', why: BackendError): void {
    this.#core.activity.steps++;
    this.#core.log('debug', `leases lost in '${this.queue}'`, { why });
    for (const holding of this.#held) {
      if (batch !== 'all' && !batch.includes(holding.d)) continue;
      this.#held.remove(holding);
      this.#receiver.lost(holding);
    }
    if (why.code === 'closed') this.#receiver.ended();
  }

  /** Has leases that end by themselves. */
  get keeps(): boolean {
    return this.#held.size > 0 && this.#backend.capabilities.lease.kind === 'timed';
  }

  ack(holding: Holding): void {
    holding.do = 'ack';
    this.#settleSoon(holding);
  }

  move(holding: Holding, to: Move): void {
    holding.do = 'move';
    holding.queue = to.queue;
    holding.at = to.at;
    holding.headers = to.headers;
    this.#settleSoon(holding);
  }

  /** Back into the queue, as if it had not been handed out: due as it was, so before what came later. */
  release(holding: Holding): void {
    this.move(holding, { queue: this.queue, at: holding.d.at, headers: holding.d.headers });
  }

  /** Back into the queue, not before `at`. Where the backend cannot delay it is held here until then. */
  postpone(holding: Holding, at: Ms, headers: Headers): void {
    if (this.#backend.capabilities.delay) this.move(holding, { queue: this.queue, ...waitingOn(this.#backend, headers, at) });
    else this.#keep(holding, at, headers);
  }

  /** Extends the leases of everything held that is not quite new. */
  async extend(leaseMs: Ms): Promise<void> {
    const consumer = await this.#opened();
    const young = this.#backend.now() + (leaseMs * 2) / 3;
    const due = [...this.#held].map(({ d }) => d).filter(({ leaseUntil }) => leaseUntil <= young);
    const { batch } = this.#backend.capabilities.limits;
    for (let from = 0; consumer && from < due.length; from += batch) {
      const some = due.slice(from, from + batch);
      const failures = await this.#core.calls.bounded(consumer.extend(some, leaseMs)).catch(() => []); // the next turn comes before the lease ends
      const gone = failures.filter(({ error }) => error.code === 'stale');
      for (const { index, error } of gone) this.lost([some[index] as Delivery], error);
    }
  }

  /** No more deliveries once it has resolved. What is held stays held, and is settled. */
  async stop(): Promise<void> {
    this.#waits.end();
    const consumer = await this.#opened();
    if (consumer) await this.#core.calls.bounded(consumer.stop());
  }

  /** Resolves when every settlement so far is confirmed or given up. */
  idle(): Promise<void> {
    return this.#settlements.idle();
  }

  /** What is not settled by now is left to others. */
  close(): void {
    for (const holding of this.#held) this.#held.remove(holding);
    this.#waits.end();
    this.#leases.remove(this);
  }

  async #opened(): Promise<Consumer | undefined> {
    return this.#consumer?.catch(() => undefined);
  }

  /** Given back early it says itself when it is due, so whoever has it next keeps it too. */
  #keep(holding: Holding, at: Ms, headers: Headers): void {
    this.#waits.add(at - this.#backend.now(), () => {
      const left = at > this.#backend.now();
      const due = withHeaders(headers, { [DUE]: left ? String(at) : undefined });
      if (holding.held) this.move(holding, { queue: this.queue, at: 0, headers: due });
    });
  }

  #settleSoon(holding: Holding): void {
    this.#core.activity.begin();
    if (trace.settle.enabled) traceSettlement(holding);
    this.#settlements.push(holding);
  }

  async #settle(batch: readonly Holding[]): Promise<void> {
    let pending = batch;
    for (let count = 1; pending.length > 0; count++) {
      pending = await this.#settleOnce(pending, count > 1);
      if (pending.length === 0) return;
      await this.#core.pauses.wait(count);
      for (const holding of pending) if (!holding.held) this.#settled(holding);
      pending = pending.filter(({ held }) => held);
    }
  }

  /** Resolves with what is to be tried again. A repeat that is stale was probably done the time before. */
  async #settleOnce(batch: readonly Holding[], repeated: boolean): Promise<readonly Holding[]> {
    const failures = await this.#tryToSettle(batch);
    if (failures.length === 0) {
      for (const holding of batch) this.#settled(holding);
      return NONE;
    }
    const failed = new Map(failures.map(({ index, error }) => [index, error]));
    return batch.filter((holding, i) => {
      const error = failed.get(i);
      if (isPassing(error) && holding.held) return true;
      if (error && !isPassing(error) && !(repeated && error.code === 'stale')) this.#failed(holding, error);
      else this.#settled(holding);
      return false;
    });
  }

  async #tryToSettle(batch: readonly Holding[]): Promise<readonly Failure[]> {
    try {
      const consumer = (await this.#consumer) as Consumer;
      return await this.#core.calls.bounded(consumer.settle(batch));
    } catch (thrown) {
      const error = asBackendError(thrown);
      return batch.map((_, index) => ({ index, error }));
    }
  }

  /** What could not be put elsewhere stays in its own queue, for later; what cannot be settled at all is kept, and tried again. */
  #failed(holding: Holding, error: BackendError): void {
    const wasHeld = holding.held;
    const elsewhere = holding.do === 'move' && holding.queue !== this.queue;
    if (wasHeld) this.#core.report(fromBackend(error, `'${holding.d.name}' in '${this.queue}' was not settled`));
    if (error.code === 'stale' || !wasHeld) {
      this.#settled(holding);
      return;
    }
    this.#receiver.refused(holding, error);
    if (elsewhere) this.postpone(holding, this.#backend.now() + STUCK_FOR, holding.d.headers);
    else this.#waits.add(STUCK_FOR, () => this.#settleSoon(holding));
    this.#core.activity.end();
  }

  #settled(holding: Holding): void {
    this.#held.remove(holding);
    this.#core.activity.end();
  }
}

function traceSettlement({ d, do: what, queue, at }: Holding): void {
  if (what === 'ack') trace.settle('%s %s in %s: acked', d.name, d.id, d.queue);
  else trace.settle('%s %s in %s: to %s, due %s', d.name, d.id, d.queue, queue, new Date(at).toISOString());
}

const NONE: readonly Holding[] = [];
