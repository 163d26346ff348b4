import type { BackendError, Ms } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { type Holding, Intake, type Receiver, type Source } from '../deliver/intake.ts';
import type { Leases } from '../deliver/leases.ts';
import { fromBackend } from '../errors.ts';
import { DEAD_AT, numberIn } from '../headers.ts';

export type Settle = (intake: Intake, holding: Holding) => void;

/** A queue that hands out nothing for so long has nothing more; on the monotonic clock. */
const QUIET: Ms = 1000;
const MOST = 100;

/**
 * Empties the dead letters of one queue, or takes so many of them, where a backend cannot address them and they can only be
 * consumed. What dies after it began is left alone.
 */
export class Drain implements Receiver {
  readonly #core: Core;
  readonly #intake: Intake;
  readonly #source: Source;
  readonly #settle: Settle;
  #left = 0;
  #began: Ms = 0;
  #taken: Holding[] = [];
  #refusal: BackendError | undefined;
  #finish = (): void => {};
  #cancelQuiet = (): void => {};

  /** `source` is a parked queue; `settle` is called for each. */
  constructor(core: Core, leases: Leases, source: Source, settle: Settle) {
    this.#core = core;
    this.#source = source;
    this.#settle = settle;
    this.#intake = new Intake(core, leases, source, this);
  }

  /** Resolves with how many were taken. Throws if some were refused. */
  async take(limit: number): Promise<number> {
    const { backend, queue } = this.#source;
    this.#began = backend.now();
    const { ready } = (await backend.stats?.(queue)) ?? { ready: null };
    this.#left = Math.min(limit, ready ?? Number.POSITIVE_INFINITY);
    if (this.#left === 0) return 0;
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    try {
      await this.#intake.open(Math.min(this.#left, MOST), 'parked');
      this.#waitForMore();
      await finished;
    } finally {
      this.#cancelQuiet();
      await this.#intake.stop();
      await this.#intake.idle();
      this.#intake.close();
    }
    if (this.#refusal) throw fromBackend(this.#refusal, `${this.#taken.length} dead letters were taken, and others refused`);
    return this.#taken.length;
  }

  receive(batch: readonly Holding[]): void {
    for (const holding of batch) {
      if (this.#left === 0 || numberIn(holding.d.headers, DEAD_AT, 0) > this.#began) {
        this.#left = 0; // what died since it began is not meant, and comes after all that is
        this.#intake.release(holding);
      } else {
        this.#left--;
        this.#taken.push(holding);
        this.#settle(this.#intake, holding);
      }
    }
    if (this.#left === 0) this.#finish();
    else this.#waitForMore();
  }

  /** It comes again, and is taken then. */
  lost(holding: Holding): void {
    this.#left++;
    this.#taken = this.#taken.filter((one) => one !== holding);
  }

  /** It stays a dead letter. */
  refused(holding: Holding, error: BackendError): void {
    this.#taken = this.#taken.filter((one) => one !== holding);
    this.#refusal = error;
  }

  ended(): void {
    this.#finish();
  }

  #waitForMore(): void {
    this.#cancelQuiet();
    this.#cancelQuiet = this.#core.clock.real.after(QUIET, () => this.#finish());
  }
}
