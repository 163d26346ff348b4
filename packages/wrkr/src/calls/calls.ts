import { backendError, isBackendError } from '../contract/backend-error.ts';
import type { BackendError, Ms, Timer } from '../contract/contract.ts';
import type { Pauses } from '../time/pauses.ts';

/** A call that is out for so long will not return: a backend has timeouts of its own, and they are shorter. */
const LONGEST: Ms = 60_000;

export interface Patience {
  readonly patienceMs: Ms;
  readonly pauses: Pauses;
}

/** Calls of a backend that are out: one that never returns must not hold up what comes after it, nor `stop()`. */
export class Calls {
  readonly #real: Timer;
  readonly #out = new Map<(error: BackendError) => void, Ms>();
  #cancelLook: (() => void) | undefined;
  #closed = false;

  constructor(real: Timer) {
    this.#real = real;
  }

  /** As the call; rejects with `timeout` if it takes too long, or with what {@link close} was given. */
  async bounded<Result>(call: Promise<Result>): Promise<Result> {
    if (this.#closed) return call;
    let end = (_error: BackendError): void => {};
    const ended = new Promise<never>((_, reject) => {
      end = reject;
    });
    this.#out.set(end, this.#real.now());
    this.#cancelLook ??= this.#real.after(LONGEST, this.#look);
    try {
      return await Promise.race([call, ended]);
    } finally {
      this.#out.delete(end);
      if (this.#out.size === 0) this.#rest();
    }
  }

  /** The same, repeated while the server is away and nothing came of it, for as long as the caller has patience. */
  async repeated<Result>(call: () => Promise<Result>, { patienceMs, pauses }: Patience): Promise<Result> {
    const until = this.#real.now() + patienceMs;
    for (let count = 1; ; count++) {
      try {
        return await this.bounded(call());
      } catch (error) {
        if (!isBackendError(error) || error.code !== 'unavailable' || this.#real.now() > until) throw error;
        await pauses.wait(count);
      }
    }
  }

  /** The backend is closed, or is being closed. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** From now on calls are not watched. */
  close(error: BackendError): void {
    this.#closed = true;
    for (const end of this.#out.keys()) end(error);
    this.#rest();
  }

  /** No timer while nothing is out: it would keep the process alive. */
  #rest(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  readonly #look = (): void => {
    this.#cancelLook = undefined;
    const now = this.#real.now();
    for (const [end, since] of this.#out) {
      if (now - since >= LONGEST) end(backendError('timeout', `no answer within ${LONGEST / 1000} s`, { applied: 'maybe' }));
    }
    if (this.#out.size > 0) this.#cancelLook = this.#real.after(LONGEST, this.#look);
  };
}
