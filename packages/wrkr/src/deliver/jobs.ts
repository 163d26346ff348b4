import { Bag } from '../contract/bag.ts';
import type { Ms } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { WrkrError } from '../errors.ts';
import type { Job } from './job.ts';

/** All jobs of this process, whatever their queue: ends those that take too long, and knows when none is left. */
export class Jobs implements Iterable<Job> {
  readonly #core: Core;
  readonly #all = new Bag<Job>();
  #waiting: (() => void)[] = [];
  #cancel: (() => void) | undefined;
  #armedFor: Ms = Number.POSITIVE_INFINITY;

  constructor(core: Core) {
    this.#core = core;
  }

  [Symbol.iterator](): Iterator<Job> {
    return this.#all[Symbol.iterator]();
  }

  add(job: Job): void {
    this.#all.add(job);
    if (job.deadline < this.#armedFor) this.#arm(job.deadline);
  }

  remove(job: Job): void {
    this.#all.remove(job);
    this.recheck();
  }

  /** Resolves when no more than so many are left, which may change while it waits. */
  async atMost(count: () => number): Promise<void> {
    while (this.#all.size > count()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Another look by those who wait: a job has gone, or need not be waited for. */
  recheck(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  close(): void {
    this.#cancel?.();
  }

  /** One timer, for the earliest deadline. It is not moved when that job ends: it finds nothing then, and is set for the next. */
  #arm(deadline: Ms): void {
    this.#cancel?.();
    this.#armedFor = deadline;
    this.#cancel = this.#core.clock.after(deadline - this.#core.clock.now(), () => this.#cutOverdue());
  }

  #cutOverdue(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#core.clock.now();
    for (const job of this.#all) if (job.deadline <= now) this.#timeOut(job);
    let next = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.#all) next = Math.min(next, deadline);
    if (next < this.#armedFor) this.#arm(next);
  }

  #timeOut(job: Job): void {
    const { event, registration } = job;
    const after = `after ${registration.settings.timeoutMs} ms`;
    const error = new WrkrError(
      'WRKR_TIMEOUT',
      `the handler of '${event.queue}' for '${registration.pattern}' had not settled ${after}`,
    );
    this.#core.log('warn', error.message, { id: event.id, name: event.name, attempt: event.attempt });
    job.cut(error, { do: 'retry', error });
  }
}
