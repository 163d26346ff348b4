import type { Bagged } from '../contract/bag.ts';
import type { LogLevel, Ms } from '../contract/contract.ts';
import type { WrkrError } from '../errors.ts';
import type { Receipt, UntypedInput } from '../publish/event-input.ts';
import type { FollowUp } from '../publish/publisher.ts';
import type { Registration } from '../subscribe/registrations.ts';
import type { Outcome } from './ack.ts';
import type { HandlerContext } from './context.ts';
import type { DeliveredEvent } from './delivered-event.ts';
import type { Frame } from './handler-frames.ts';
import type { Holding } from './intake.ts';

/** What a job needs from the worker that runs it. */
export interface Employer {
  /** The job's outcome, once. */
  conclude(job: Job, outcome: Outcome): void;
  /** Its handler has ended, or is waited for no longer. */
  returned(job: Job): void;
  /** The job needs its slot no longer. */
  vacate(job: Job): void;
  followUp(job: Job, input: UntypedInput): Promise<Receipt>;
  log(job: Job, level: LogLevel, message: string, extra?: object): void;
}

const NONE: readonly FollowUp[] = [];

/**
 * One run of a handler.
 *
 * - RUNNING   the handler was called and nothing is settled. Leaves by `ack` to SETTLED, by returning to RETURNED, by `cut` to CUT.
 * - SETTLED   the outcome is known, the handler still runs and keeps its slot. Leaves to OVER when it returns, by `cut` to CUT.
 * - RETURNED  manual mode: `ack` is still to come; it keeps its slot. Leaves by `ack` to OVER, by `cut` to CUT. In auto mode
 *             returning settles, so this state is passed at once.
 * - CUT       timeout, lost lease or shutdown have decided: the signal is aborted, the slot is free, what the handler does or
 *             says now has no effect.
 * - OVER      settled and returned: the slot is free.
 */
export class Job implements Bagged {
  readonly employer: Employer;
  readonly holding: Holding;
  readonly registration: Registration;
  readonly event: DeliveredEvent;
  /** On the bus clock. */
  readonly deadline: Ms;
  /** Where its handler runs; the frames' own. */
  frame: Frame | undefined;
  /** Of the bag of all jobs. */
  slot = -1;
  #followUps: FollowUp[] | undefined;
  #counts: Map<string, number> | undefined;
  #settled = false;
  #returned = false;
  #over = false;
  #abort: AbortController | undefined;
  #cutBy: WrkrError | undefined;

  constructor(employer: Employer, holding: Holding, registration: Registration, event: DeliveredEvent, deadline: Ms) {
    this.employer = employer;
    this.holding = holding;
    this.registration = registration;
    this.event = event;
    this.deadline = deadline;
  }

  get settled(): boolean {
    return this.#settled;
  }

  get followUps(): readonly FollowUp[] {
    return this.#followUps ?? NONE;
  }

  addFollowUp(followUp: FollowUp): void {
    this.#followUps ??= [];
    this.#followUps.push(followUp);
    const key = `${followUp.event.name} ${followUp.event.tid}`;
    this.#counts ??= new Map();
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** How many it has of this name and tid. */
  countFollowUps(name: string, tid: string | undefined): number {
    return this.#counts?.get(`${name} ${tid}`) ?? 0;
  }

  /** The handler has ended well. */
  returned(): void {
    this.#return();
    if (!this.registration.settings.manual) this.settle({ do: 'ack' });
    this.#leave();
  }

  /** The handler has thrown. */
  failed(error: unknown): void {
    this.#return();
    if (!this.settle({ do: 'retry', error })) this.#failedLate(error);
    this.#leave();
  }

  settle(outcome: Outcome): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.employer.conclude(this, outcome);
    this.#leave();
    return true;
  }

  /** Ends it from outside, with this outcome if it has none. */
  cut(why: WrkrError, outcome?: Outcome): void {
    if (this.#over) return;
    this.#cutBy = why;
    this.#abort?.abort(why);
    const first = !this.#settled;
    this.#settled = true;
    if (first && outcome) this.employer.conclude(this, outcome);
    this.#return();
    this.#leave();
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#cutBy) this.#abort.abort(this.#cutBy);
    }
    return this.#abort.signal;
  }

  /** Nobody waits for the handler any longer. */
  #return(): void {
    if (this.#returned) return;
    this.#returned = true;
    this.employer.returned(this);
  }

  #leave(): void {
    if (this.#over || !this.#settled || !this.#returned) return;
    this.#over = true;
    this.employer.vacate(this);
  }

  #failedLate(error: unknown): void {
    const level = this.#cutBy ? 'debug' : 'warn';
    this.employer.log(this, level, 'the handler failed after its event was settled', { error });
  }
}

/** What a handler sees of its job. Its parts are made when they are used: an AbortController alone costs more than all the rest. */
export class JobContext implements HandlerContext {
  readonly #job: Job;

  constructor(job: Job) {
    this.#job = job;
  }

  get signal(): AbortSignal {
    return this.#job.signal;
  }

  get followUp(): HandlerContext['followUp'] {
    return async (input) => this.#job.employer.followUp(this.#job, input);
  }

  get log(): HandlerContext['log'] {
    const at = (level: LogLevel) => (message: string, extra?: object) => this.#job.employer.log(this.#job, level, message, extra);
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}
