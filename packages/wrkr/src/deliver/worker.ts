import type { LogLevel } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { WrkrError } from '../errors.ts';
import { dueOf } from '../headers.ts';
import type { Receipt, UntypedInput } from '../publish/event-input.ts';
import { receiptOf } from '../publish/event-input.ts';
import type { Publisher } from '../publish/publisher.ts';
import { readFollowUp } from '../schedule/follow-ups.ts';
import type { Scheduling } from '../schedule/scheduling.ts';
import type { QueueHandlers, Registration } from '../subscribe/registrations.ts';
import { trace } from '../telling/trace.ts';
import type { Outcome } from './ack.ts';
import { type DeliveredEvent, eventOf, isExpired } from './delivered-event.ts';
import type { HandlerFrames } from './handler-frames.ts';
import { type Holding, Intake, type Receiver } from './intake.ts';
import { type Employer, Job } from './job.ts';
import type { Jobs } from './jobs.ts';
import type { Leases } from './leases.ts';
import { Pace } from './pace.ts';
import { Settler } from './settler.ts';
import { CRASHES, SUSPICIOUS, type Suspects } from './suspects.ts';

/** What the workers of one bus share. */
export interface Workplace {
  readonly core: Core;
  readonly publisher: Publisher;
  readonly leases: Leases;
  readonly jobs: Jobs;
  readonly suspects: Suspects;
  readonly frames: HandlerFrames;
  readonly scheduling: Scheduling;
}

/**
 * Handles one queue in this process: buffers what the intake gets, runs as many handlers as `concurrency` allows, and turns what
 * they decide into settlements.
 */
export class Worker implements Receiver, Employer {
  readonly intake: Intake;
  readonly #place: Workplace;
  readonly #handlers: QueueHandlers;
  readonly #onEnded: (worker: Worker) => void;
  readonly #settler: Settler;
  readonly #pace: Pace;
  #buffer: Holding[] = [];
  #next = 0;
  #running = 0;
  /** Others need the process to themselves, or it is over. */
  #interrupted: boolean;
  #stopped = false;
  readonly #onIdle: (() => void)[] = [];

  /** `onEnded` is called when the queue is gone. */
  constructor(place: Workplace, handlers: QueueHandlers, onEnded: (worker: Worker) => void) {
    this.#place = place;
    this.#handlers = handlers;
    this.#onEnded = onEnded;
    this.#interrupted = place.suspects.isolating;
    this.#pace = new Pace(place.core.clock.real, handlers);
    this.intake = new Intake(place.core, place.leases, { backend: place.core.backend, queue: handlers.queue }, this);
    this.#settler = new Settler(place, this.intake);
  }

  open(): Promise<void> {
    return this.intake.open(this.#max);
  }

  receive(batch: readonly Holding[]): void {
    for (const holding of batch) {
      const { handouts } = holding.d;
      if (handouts > CRASHES) this.#settler.crashed(holding);
      else if (this.#stopped || this.#handlers.paused) this.intake.release(holding);
      else if (handouts >= SUSPICIOUS) this.#place.suspects.add(this, holding);
      else if (this.#paused) this.intake.release(holding);
      else this.#buffer.push(holding);
    }
    if (this.#pace.adjust(this.#running >= this.#handlers.concurrency) && !this.#paused) void this.intake.limit(this.#max);
    this.#fill();
  }

  lost(holding: Holding): void {
    const at = this.#buffer.indexOf(holding, this.#next);
    if (at >= 0) this.#buffer.splice(at, 1);
    const { name, queue } = holding.d;
    const error = new WrkrError('WRKR_LEASE_LOST', `the lease of '${name}' in '${queue}' was lost: another may have it`);
    for (const job of this.#place.jobs) if (job.holding === holding) job.cut(error);
  }

  /** Reported by the intake. */
  refused(): void {}

  /** Whoever deleted the queue, it was not this process. */
  ended(): void {
    this.#onEnded(this);
  }

  serves(handlers: QueueHandlers): boolean {
    return this.#handlers === handlers;
  }

  interrupt(): void {
    this.#interrupted = true;
    this.obey();
  }

  continue(): void {
    this.#interrupted = false;
    this.obey();
  }

  /** Whether it may work has changed. Paused, it takes nothing more and gives back what has not begun; its jobs go on. */
  obey(): void {
    void this.intake.limit(this.#max);
    if (!this.#paused) return;
    for (let next = this.#take(); next; next = this.#take()) this.intake.release(next);
  }

  /** For good. Its jobs go on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.obey();
    await this.intake.stop();
  }

  get #paused(): boolean {
    return this.#stopped || this.#interrupted || this.#handlers.paused;
  }

  get #max(): number {
    return this.#paused ? 0 : this.#pace.max;
  }

  /** Resolves when its last job has ended and all is settled. */
  async idle(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    await this.intake.idle();
  }

  /** Runs one event, or does with it what can be done without its handler. */
  start(holding: Holding): void {
    if (this.#stopped || this.#handlers.size === 0) {
      this.intake.release(holding);
      return;
    }
    const { headers, name } = holding.d;
    const due = dueOf(headers);
    if (due > 0 && due > this.#place.core.backend.now()) {
      this.#settler.postpone(holding, due, headers);
      return;
    }
    if (isExpired(holding.d, this.#place.core.backend.now())) {
      this.#settler.expired(holding);
      return;
    }
    const registration = this.#handlers.choose(name);
    if (!registration) this.#settler.unhandled(holding);
    else this.#read(holding, registration);
  }

  conclude(job: Job, outcome: Outcome): void {
    this.#settler.conclude(job, outcome);
  }

  returned(): void {
    this.#place.core.activity.end();
  }

  vacate(job: Job): void {
    this.#running--;
    this.#pace.done();
    this.#place.jobs.remove(job);
    this.#place.frames.forget(job);
    this.#fill();
    if (this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** It is one of the job's from this call on, awaited or not. */
  async followUp(job: Job, input: UntypedInput): Promise<Receipt> {
    if (job.settled) {
      throw new WrkrError('WRKR_INVALID_CALL', `'${job.event.name}' is settled: call followUp before ack, or use wrkr.publish`);
    }
    const followUp = readFollowUp(job, input, this.#place.publisher);
    job.addFollowUp(followUp);
    await followUp.valid;
    return receiptOf(followUp.event);
  }

  log(job: Job, level: LogLevel, message: string, extra?: object): void {
    const { id, name, queue, attempt } = job.event;
    this.#place.core.log(level, message, { id, name, queue, attempt, ...extra });
  }

  #fill(): void {
    while (this.#running < this.#handlers.concurrency) {
      const next = this.#take();
      if (!next) return;
      this.start(next);
    }
  }

  #take(): Holding | undefined {
    const next = this.#buffer[this.#next++];
    if (this.#next >= this.#buffer.length) {
      this.#buffer = [];
      this.#next = 0;
    }
    return next;
  }

  #read(holding: Holding, registration: Registration): void {
    let event: DeliveredEvent;
    try {
      event = eventOf(holding.d);
    } catch (error) {
      this.#settler.bury(holding, error);
      return;
    }
    if (event.attempt <= registration.settings.retry.attempts) this.#run(holding, registration, event);
    else this.#settler.bury(holding, new Error(`no attempt is left: there have been ${event.attempt - 1}`));
  }

  #run(holding: Holding, registration: Registration, event: DeliveredEvent): void {
    const { core, frames, jobs } = this.#place;
    const { lease } = core.backend.capabilities;
    const { timeoutMs } = registration.settings;
    const allowed = lease.kind === 'connection' ? Math.min(timeoutMs, lease.maxMs * 0.9) : timeoutMs;
    const job = new Job(this, holding, registration, event, core.clock.now() + allowed);
    if (trace.handle.enabled) trace.handle('%s %s in %s, attempt %d', event.name, event.id, event.queue, event.attempt);
    this.#running++;
    core.activity.begin();
    jobs.add(job);
    frames.run(job);
  }
}
