import type { Ms, Timer } from '../contract/contract.ts';

/** Things that are to happen later on the bus clock, or when all waiting is ended. */
export class Waits {
  readonly #clock: Timer;
  readonly #ends = new Set<() => void>();

  constructor(clock: Timer) {
    this.#clock = clock;
  }

  add(ms: Ms, then: () => void): void {
    const end = (): void => {
      cancel();
      this.#ends.delete(end);
      then();
    };
    const cancel = this.#clock.after(ms, end);
    this.#ends.add(end);
  }

  /** All of them happen now. */
  end(): void {
    for (const end of this.#ends) end();
  }
}
