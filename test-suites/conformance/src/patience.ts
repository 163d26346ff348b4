import assert from 'node:assert/strict';
import type { Ms, Timer } from 'wrkr/backend';

/** How a case waits for what must happen. */
export class Patience {
  readonly #real: Timer;
  readonly #mustComeMs: Ms;
  readonly #settle: () => Promise<unknown>;
  readonly #here: boolean;

  /** `settle` lets virtual time come to rest; `here` is a backend of this process, which never takes longer than usual. */
  constructor(real: Timer, mustComeMs: Ms, { settle, here }: { settle: () => Promise<unknown>; here: boolean }) {
    this.#real = real;
    this.#mustComeMs = mustComeMs;
    this.#settle = settle;
    this.#here = here;
  }

  /** Fails if it does not come to be, and what it is measured by has not moved for as long as that may take. */
  async until(what: () => string, condition: () => boolean, asked?: Ms, progress: () => unknown = () => 0): Promise<void> {
    const most = this.#here ? this.#mustComeMs : (asked ?? this.#mustComeMs);
    let [began, last] = [this.#real.now(), progress()];
    while (!condition()) {
      if (progress() !== last) [began, last] = [this.#real.now(), progress()];
      if (this.#real.now() - began > most) assert.fail(`this did not happen: ${what()}`);
      await this.#settle();
      if (!condition()) await new Promise<void>((resolve) => this.#real.after(1, resolve));
    }
  }
}
