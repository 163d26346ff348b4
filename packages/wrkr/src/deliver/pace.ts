import type { Ms, Timer } from '../contract/contract.ts';

const MOST = 1000;
const WINDOW: Ms = 50;
const BUFFERED: Ms = 1000;
/** What was changed stays so long before it is lowered. */
const SETTLED: Ms = 5000;

/**
 * How much a queue may hold in this process: twice its concurrency at first, then what its handlers get through in about a
 * second, so that fast ones are not kept waiting for the backend and slow ones do not sit on work that others could do.
 */
export class Pace {
  readonly #real: Timer;
  readonly #handlers: { readonly concurrency: number };
  #max: number;
  #since: Ms;
  #changed: Ms;
  #done = 0;

  constructor(real: Timer, handlers: { readonly concurrency: number }) {
    this.#real = real;
    this.#handlers = handlers;
    this.#max = this.#least;
    this.#since = real.now();
    this.#changed = this.#since;
  }

  get max(): number {
    return this.#max;
  }

  get #least(): number {
    return Math.min(MOST, 2 * this.#handlers.concurrency);
  }

  done(): void {
    this.#done++;
  }

  /**
   * Looks at what was done since the last look; returns whether `max` has changed by enough to say so. Raised at once; lowered only
   * when all slots are `busy`, or an idle queue would be taken for slow handlers, and not soon after it was raised.
   */
  adjust(busy: boolean): boolean {
    const now = this.#real.now();
    const elapsed = now - this.#since;
    if (elapsed < WINDOW) return false;
    const wanted = Math.max(this.#least, Math.min(MOST, Math.ceil((this.#done / elapsed) * BUFFERED)));
    this.#since = now;
    this.#done = 0;
    const raise = wanted >= this.#max * 1.25;
    const lower = wanted <= this.#max / 2 && busy && now - this.#changed > SETTLED;
    if (!raise && !lower) return false;
    this.#max = wanted;
    this.#changed = now;
    return true;
  }
}
