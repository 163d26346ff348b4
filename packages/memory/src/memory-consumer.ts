import {
  backendError,
  type Clock,
  type ConsumeOptions,
  type Consumer,
  type Delivery,
  type Failure,
  type Ms,
  type Settlement,
  type Sink,
} from 'wrkr/backend';
import type { MemoryBackend } from './memory-backend.ts';
import type { Queue } from './queue.ts';

const ALL_DONE: readonly Failure[] = Object.freeze([]);

/** One consumer of one queue. Its backend may close, crash or be cut off while it holds something. */
export class MemoryConsumer implements Consumer {
  readonly sink: Sink;
  readonly leaseMs: Ms;
  readonly #backend: MemoryBackend;
  readonly #queue: Queue;
  #max: number;
  #out = 0;
  #stopped = false;

  constructor(backend: MemoryBackend, queue: Queue, sink: Sink, options: ConsumeOptions) {
    this.#backend = backend;
    this.#queue = queue;
    this.sink = sink;
    this.#max = options.max;
    this.leaseMs = backend.capabilities.lease.kind === 'timed' ? options.leaseMs : Number.POSITIVE_INFINITY;
    queue.join(this);
  }

  get clock(): Clock {
    return this.#backend.clock;
  }

  get hasRoom(): boolean {
    return !this.#stopped && this.#out < this.#max && this.#backend.connected;
  }

  now(): Ms {
    return this.#backend.now();
  }

  limit(max: number): void {
    this.#max = max;
    this.#queue.wake();
  }

  async settle(batch: readonly Settlement[]): Promise<readonly Failure[]> {
    this.#backend.check();
    const now = this.now();
    let failures = ALL_DONE;
    batch.forEach((settlement, index) => {
      const failure = this.#settle(settlement, index, now);
      if (failure) failures = [...failures, failure];
    });
    return failures;
  }

  async extend(batch: readonly Delivery[], forMs: Ms): Promise<readonly Failure[]> {
    this.#backend.check();
    const now = this.now();
    const failures: Failure[] = [];
    batch.forEach((delivery, index) => {
      const item = this.#queue.heldBy(this, delivery, now);
      if (item) this.#queue.extend(item, now + forMs);
      else failures.push(stale(index));
    });
    return failures;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#out === 0) this.#queue.leave(this);
  }

  /** The connection has ended in good order, or was lost: what is out goes back now. */
  giveBack(): void {
    this.#queue.giveBack(this);
  }

  /** The connection is back. */
  resume(): void {
    this.#queue.wake();
  }

  leave(): void {
    this.#queue.leave(this);
  }

  took(): void {
    this.#out++;
  }

  freed(): void {
    this.#out--;
    if (this.#stopped && this.#out === 0) this.#queue.leave(this);
  }

  lost(delivery: Delivery): void {
    if (this.#backend.connected) this.sink.lost([delivery], backendError('stale', 'the lease has ended'));
  }

  /** Its queue was dropped. */
  end(): void {
    this.#stopped = true;
    if (this.#backend.connected) this.sink.lost('all', backendError('closed', `the queue '${this.#queue.name}' was dropped`));
  }

  #settle(settlement: Settlement, index: number, now: Ms): Failure | undefined {
    const item = this.#queue.heldBy(this, settlement.d, now);
    if (!item) return stale(index);
    if (settlement.do === 'ack') {
      this.#queue.remove(item);
      return undefined;
    }
    const target = this.#backend.broker.queue(settlement.queue);
    if (!target) return { index, error: backendError('invalid', `there is no queue '${settlement.queue}'`) };
    this.#backend.broker.move(item, this.#queue, target, { at: settlement.at || now, now, headers: settlement.headers });
    return undefined;
  }
}

function stale(index: number): Failure {
  return { index, error: backendError('stale', 'the lease has ended, or it was settled') };
}
