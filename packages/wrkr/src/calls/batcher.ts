import { nextTick } from '../time/clock.ts';

export interface BatchLimits {
  /** Most items in one flush. */
  readonly batch: number;
  /** Most flushes out at once. */
  readonly inFlight: number;
}

/** Of the items in one flush: most in all, and what one counts. One alone may be more. */
export interface Weight<Item> {
  readonly most: () => number;
  readonly of: (item: Item) => number;
}

/**
 * Group commit: collects what comes in one tick and flushes it together. While as many flushes are out as are allowed, items
 * wait, and leave together when one returns: no latency when idle, large batches under load.
 */
export class Batcher<Item> {
  readonly #flush: (items: readonly Item[]) => Promise<void>;
  readonly #limits: () => BatchLimits;
  readonly #weight: Weight<Item> | undefined;
  #waiting: Item[] = [];
  #taken = 0;
  #out = 0;
  #scheduled = false;
  #onIdle: (() => void)[] = [];

  /** `flush` must not reject: what became of an item is told to the item. */
  constructor(flush: (items: readonly Item[]) => Promise<void>, limits: () => BatchLimits, weight?: Weight<Item>) {
    this.#flush = flush;
    this.#limits = limits;
    this.#weight = weight;
  }

  push(item: Item): void {
    this.#waiting.push(item);
    this.#schedule();
  }

  /** What was pushed and not yet flushed. */
  get waiting(): readonly Item[] {
    return this.#taken === 0 ? this.#waiting : this.#waiting.slice(this.#taken);
  }

  /** Resolves when everything that was pushed has been flushed. */
  async idle(): Promise<void> {
    while (this.#scheduled || this.#out > 0 || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    }
  }

  /** A tick between flushes, too: where a backend answers at once, other work gets its turn. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    nextTick(this.#tick);
  }

  readonly #tick = (): void => {
    this.#scheduled = false;
    const { batch, inFlight } = this.#limits();
    while (this.#out < inFlight && this.#waiting.length > 0) {
      this.#out++;
      void this.#flush(this.#take(batch)).then(this.#returned);
    }
    if (this.#out === 0) this.#tellIdle();
  };

  readonly #returned = (): void => {
    this.#out--;
    this.#schedule();
  };

  /** From the front, without moving what stays: a million can wait. */
  #take(count: number): readonly Item[] {
    const from = this.#taken;
    const most = this.#weight ? this.#lightEnough(this.#weight, count) : count;
    const items = from === 0 && this.#waiting.length <= most ? this.#waiting : this.#waiting.slice(from, from + most);
    this.#taken += items.length;
    if (this.#taken === this.#waiting.length) {
      this.#waiting = [];
      this.#taken = 0;
    }
    return items;
  }

  /** How many from the front are together not too heavy: at least one. */
  #lightEnough({ most, of }: Weight<Item>, count: number): number {
    let left = most();
    const end = Math.min(this.#waiting.length, this.#taken + count);
    for (let i = this.#taken; i < end; i++) {
      left -= of(this.#waiting[i] as Item);
      if (left < 0) return Math.max(1, i - this.#taken);
    }
    return count;
  }

  #tellIdle(): void {
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }
}
