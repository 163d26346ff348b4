import { backendError } from '../contract/backend-error.ts';
import type { Backend, Ms } from '../contract/contract.ts';
import { fromBackend, WrkrError } from '../errors.ts';
import type { Outbox } from '../publish/outbox.ts';
import type { Scheduling } from '../schedule/scheduling.ts';
import type { Job } from './job.ts';
import type { Worker, Workplace } from './worker.ts';

/** For handlers that wait for `stop()` themselves, after all the others; on the bus clock. */
const CALLERS: Ms = 1000;
/** For writing what the handlers have decided, once they have; on the monotonic clock. */
const FLUSH: Ms = 2000;
/** For the backend to close. */
const CLOSE: Ms = 1000;

/**
 * The way out, once, whoever asks: takes no new work and gives back what has not begun; lets the handlers finish; at the deadline
 * cuts off those that have not, which costs them no attempt; writes every settlement and publish; closes. It takes the timeout and
 * four seconds more at most, whatever hangs.
 *
 * A handler that calls `stop()` is not waited for: its call resolves when all the others have ended, and the bus closes after that
 * handler has settled.
 */
export class Shutdown {
  readonly #place: Workplace;
  readonly #outbox: Outbox;
  readonly #workers: Iterable<Worker>;
  readonly #onClosed: () => void;
  readonly #callers = new Set<Job>();
  #othersEnded: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(place: Workplace, outbox: Outbox, workers: Iterable<Worker>, onClosed: () => void) {
    this.#place = place;
    this.#outbox = outbox;
    this.#workers = workers;
    this.#onClosed = onClosed;
  }

  /** `opened`: settles when what is being opened is; it is waited for, too. */
  run(timeoutMs: Ms, opened: Promise<void> | undefined, caller: Job | undefined): Promise<void> {
    if (caller) this.#callers.add(caller);
    this.#place.jobs.recheck();
    this.#closed ??= this.#close(timeoutMs, opened);
    return caller ? (this.#othersEnded as Promise<void>) : this.#closed;
  }

  async #close(timeoutMs: Ms, opened: Promise<void> | undefined): Promise<void> {
    const { core, jobs, leases, scheduling, suspects } = this.#place;
    suspects.close();
    this.#othersEnded = this.#within(timeoutMs, this.#endOthers(opened));
    await this.#othersEnded;
    if (this.#calling() > 0)
      await this.#within(
        CALLERS,
        jobs.atMost(() => 0),
      );
    this.#cut();
    await this.#flush();
    core.pauses.close();
    this.#outbox.close();
    scheduling.close();
    for (const worker of this.#workers) worker.intake.close();
    leases.close();
    jobs.close();
    await Promise.all([...new Set([core.backend, core.scheduler])].map((backend) => this.#closeBackend(backend)));
    core.calls.close(backendError('closed', 'the bus was stopped'));
    this.#onClosed();
  }

  async #endOthers(opened: Promise<void> | undefined): Promise<void> {
    await opened?.catch(() => {});
    await Promise.all([...this.#workers, this.#place.scheduling].map((source) => this.#stopped(source)));
    await this.#place.jobs.atMost(() => this.#calling());
  }

  /** Those that called and have not ended. */
  #calling(): number {
    let count = 0;
    for (const job of this.#callers) if (job.slot >= 0) count++;
    return count;
  }

  #cut(): void {
    const error = new WrkrError('WRKR_SHUTDOWN', 'the bus was stopped and this handler had not finished in time');
    for (const job of this.#place.jobs) job.cut(error, { do: 'release' });
  }

  async #flush(): Promise<void> {
    const { activity, clock, report } = this.#place.core;
    await before(clock.real, FLUSH, activity.idle());
    const { busy } = activity;
    if (busy === 0) return;
    report(
      new WrkrError('WRKR_UNAVAILABLE', `stopped with ${busy} acks and publishes unwritten: events that were acked come again`),
    );
  }

  async #closeBackend(backend: Backend): Promise<void> {
    const { clock, report } = this.#place.core;
    const close = async (): Promise<true> => {
      try {
        await backend.close();
      } catch (error) {
        report(fromBackend(error, `the ${backend.name} backend did not close`));
      }
      return true;
    };
    const closed = await before(clock.real, CLOSE, close());
    if (!closed) report(new WrkrError('WRKR_UNAVAILABLE', `the ${backend.name} backend did not close within ${CLOSE} ms`));
  }

  async #stopped(source: Worker | Scheduling): Promise<void> {
    try {
      await source.stop();
    } catch (error) {
      this.#place.core.report(fromBackend(error, 'a consumer did not stop'));
    }
  }

  #within(ms: Ms, work: Promise<void>): Promise<void> {
    return before(this.#place.core.clock, ms, work);
  }
}

/** As the work, or nothing once so much time has passed. */
async function before<Result>(
  timer: { after(ms: Ms, fn: () => void): () => void },
  ms: Ms,
  work: Promise<Result>,
): Promise<Result | undefined> {
  let cancel = (): void => {};
  const reached = new Promise<undefined>((resolve) => {
    cancel = timer.after(ms, () => resolve(undefined));
  });
  try {
    return await Promise.race([work, reached]);
  } finally {
    cancel();
  }
}
