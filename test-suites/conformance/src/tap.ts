import type { BackendError, Consumer, Delivery, Failure, Headers, Ms, Settlement, Sink } from 'wrkr/backend';

/** A consumer as a case sees it: keeps what it is handed, and settles when it is told to. */
export class Tap implements Sink {
  readonly queue: string;
  /** Everything it was ever handed, in order. */
  readonly all: Delivery[] = [];
  /** What it was handed and neither settled nor lost. */
  readonly held: Set<Delivery> = new Set();
  readonly losses: Delivery[] = [];
  /** When each came, by the backend's clock. */
  readonly arrivedAt: Map<Delivery, Ms> = new Map();
  /** The most it held at once. */
  peak = 0;
  /** It was told that its queue is gone. */
  hasEnded = false;
  /** What to do with a delivery as it comes. */
  onDelivery: ((delivery: Delivery) => void) | undefined;
  readonly #now: () => Ms;
  #consumer: Consumer | undefined;

  constructor(queue: string, now: () => Ms) {
    this.queue = queue;
    this.#now = now;
  }

  use(consumer: Consumer): this {
    this.#consumer = consumer;
    return this;
  }

  get consumer(): Consumer {
    if (!this.#consumer) throw new Error('this tap does not consume yet');
    return this.#consumer;
  }

  get ids(): readonly string[] {
    return this.all.map(({ id }) => id);
  }

  deliver(batch: readonly Delivery[]): void {
    const now = this.#now();
    for (const delivery of batch) {
      this.all.push(delivery);
      this.held.add(delivery);
      this.arrivedAt.set(delivery, now);
    }
    this.peak = Math.max(this.peak, this.held.size);
    if (this.onDelivery) for (const delivery of batch) this.onDelivery(delivery);
  }

  lost(batch: readonly Delivery[] | 'all', why: BackendError): void {
    this.hasEnded ||= why.code === 'closed';
    for (const delivery of batch === 'all' ? [...this.held] : batch) {
      this.held.delete(delivery);
      this.losses.push(delivery);
    }
  }

  ack(...deliveries: readonly Delivery[]): Promise<readonly Failure[]> {
    return this.settle(deliveries.map((d) => ({ d, do: 'ack' })));
  }

  move(
    d: Delivery,
    to: { readonly queue?: string; readonly at?: number; readonly headers?: Headers } = {},
  ): Promise<readonly Failure[]> {
    return this.settle([{ d, do: 'move', queue: to.queue ?? d.queue, at: to.at ?? 0, headers: to.headers ?? d.headers }]);
  }

  /** Does it with what is held, and with whatever comes. */
  each(handle: (delivery: Delivery) => void): this {
    this.onDelivery = handle;
    for (const delivery of [...this.held]) handle(delivery);
    return this;
  }

  /** Acks what it has and whatever comes; what cannot be acked will come again. */
  ackAll(): this {
    return this.each((delivery) => void this.ack(delivery).catch(() => {}));
  }

  /** A settlement frees its slot at once; what fails for another reason than being lost is still held. */
  async settle(batch: readonly Settlement[]): Promise<readonly Failure[]> {
    for (const { d } of batch) this.held.delete(d);
    const failures = await this.consumer.settle(batch);
    for (const { index, error } of failures) {
      const { d } = batch[index] as Settlement;
      if (error.code !== 'stale') this.held.add(d);
    }
    return failures;
  }
}
