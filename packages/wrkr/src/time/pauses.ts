import type { Ms, Timer } from '../contract/contract.ts';

const FIRST: Ms = 20;
const LONGEST: Ms = 1000;

/** The waits between repeated calls of a backend, on the monotonic clock; they end early when there is nothing to wait for. */
export class Pauses {
  readonly #timer: Timer;
  readonly #ends = new Set<() => void>();
  #over = false;

  constructor(timer: Timer) {
    this.#timer = timer;
  }

  /** The pause after the `count`-th failure in a row: doubled each time, with jitter. */
  wait(count: number): Promise<void> {
    if (this.#over) return Promise.resolve();
    const ms = Math.min(LONGEST, FIRST * 2 ** (count - 1)) * (0.5 + Math.random() / 2);
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#ends.delete(end);
        resolve();
      };
      const cancel = this.#timer.after(ms, end);
      this.#ends.add(end);
    });
  }

  /** The server is back: try now. */
  hurry(): void {
    for (const end of this.#ends) end();
  }

  /** No more waiting: the caller is about to give up. */
  close(): void {
    this.#over = true;
    this.hurry();
  }
}
