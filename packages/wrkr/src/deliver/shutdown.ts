import type { Ms } from '../contract/contract.ts';
import { fromBackend, WrkrError } from '../errors.ts';
import type { Outbox } from '../publish/outbox.ts';
import type { Scheduling } from '../schedule/scheduling.ts';
import type { Worker, Workplace } from './worker.ts';

/** For writing what the handlers have decided, once they have; on the monotonic clock. */
const FLUSH: Ms = 5000;

/**
 * The way out, once, whoever asks: takes no new work and gives back what has not begun; lets the handlers finish; at the deadline
 * cuts off those that have not, which costs them no attempt; writes every settlement and publish; closes.
 *
 * A handler that calls `stop()` is not waited for: its call resolves when all the others have ended, and the bus closes after that
 * handler has settled. Which handler it is, is not known, nor needed: as many jobs as there were such calls may be left.
 */
export class Shutdown {
  readonly #place: Workplace;
  readonly #outbox: Outbox;
  readonly #workers: Iterable<Worker>;
  readonly #onClosed: () => void;
  #callers = 0;
  #othersEnded: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(place: Workplace, outbox: Outbox, workers: Iterable<Worker>, onClosed: () => void) {
    this.#place = place;
    this.#outbox = outbox;
    this.#workers = workers;
    this.#onClosed = onClosed;
  }

  run(timeoutMs: Ms, fromHandler: boolean): Promise<void> {
    if (fromHandler) this.#callers++;
    this.#place.jobs.recheck();
    this.#closed ??= this.#close(timeoutMs);
    return fromHandler ? (this.#othersEnded as Promise<void>) : this.#closed;
  }

  async #close(timeoutMs: Ms): Promise<void> {
    const { core, jobs, leases, scheduling, suspects } = this.#place;
    suspects.close();
    const deadline = new Deadline((fn) => core.clock.after(timeoutMs, fn));
    this.#othersEnded = this.#endOthers(deadline);
    await this.#othersEnded;
    deadline.cancel();
    if (this.#callers > 0) await this.#endCallers(timeoutMs);
    this.#cut();
    await this.#flush();
    this.#outbox.close();
    core.pauses.close();
    for (const worker of this.#workers) worker.intake.close();
    scheduling.close();
    leases.close();
    jobs.close();
    for (const backend of new Set([core.backend, core.scheduler])) {
      await backend.close().catch((error) => core.report(fromBackend(error, `the ${backend.name} backend did not close`)));
    }
    this.#onClosed();
  }

  async #endOthers(deadline: Deadline): Promise<void> {
    const sources = [...this.#workers, this.#place.scheduling];
    await deadline.or(Promise.all(sources.map((source) => this.#stopped(source))));
    await deadline.or(this.#place.jobs.atMost(() => this.#callers));
  }

  /** Those that waited for the others have the same time again. */
  async #endCallers(timeoutMs: Ms): Promise<void> {
    const { core, jobs } = this.#place;
    const deadline = new Deadline((fn) => core.clock.after(timeoutMs, fn));
    await deadline.or(jobs.atMost(() => 0));
    deadline.cancel();
  }

  #cut(): void {
    const error = new WrkrError('WRKR_SHUTDOWN', 'the bus was stopped and this handler had not finished in time');
    for (const job of this.#place.jobs) job.cut(error, { do: 'release' });
  }

  async #flush(): Promise<void> {
    const { activity, clock } = this.#place.core;
    const deadline = new Deadline((fn) => clock.real.after(FLUSH, fn));
    await deadline.or(activity.idle());
    deadline.cancel();
  }

  async #stopped(source: Worker | Scheduling): Promise<void> {
    try {
      await source.stop();
    } catch (error) {
      this.#place.core.report(fromBackend(error, 'a consumer did not stop'));
    }
  }
}

/** A time by which something must be over; waiting for anything ends then. */
class Deadline {
  readonly cancel: () => void;
  readonly #reached: Promise<void>;

  constructor(arm: (fn: () => void) => () => void) {
    let reach = (): void => {};
    this.#reached = new Promise((resolve) => {
      reach = resolve;
    });
    this.cancel = arm(() => reach());
  }

  async or(work: Promise<unknown>): Promise<void> {
    await Promise.race([work, this.#reached]);
  }
}
