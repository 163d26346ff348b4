import { Calls } from './calls/calls.ts';
import { ActivityCount, type Core } from './core.ts';
import { DeadLetters } from './dead/dead-letters.ts';
import { HandlerFrames } from './deliver/handler-frames.ts';
import { Jobs } from './deliver/jobs.ts';
import { Leases } from './deliver/leases.ts';
import { Shutdown } from './deliver/shutdown.ts';
import { Suspects } from './deliver/suspects.ts';
import type { Worker } from './deliver/worker.ts';
import { Life } from './life.ts';
import type { ReadOptions } from './options.ts';
import { Outbox } from './publish/outbox.ts';
import { Publisher } from './publish/publisher.ts';
import { Scheduling } from './schedule/scheduling.ts';
import { Waiting } from './schedule/waiting.ts';
import { Queues } from './subscribe/queues.ts';
import { Subscriptions } from './subscribe/subscriptions.ts';
import { Reports } from './telling/reports.ts';
import { Pauses } from './time/pauses.ts';

/** The rooms of one bus that its face opens. */
export interface Rooms {
  readonly reports: Reports;
  readonly frames: HandlerFrames;
  readonly publisher: Publisher;
  readonly subscriptions: Subscriptions;
  readonly waiting: Waiting;
  readonly deadLetters: DeadLetters;
  /** Of what the scheduler keeps. */
  readonly scheduledDead: DeadLetters;
  readonly queues: Queues;
  readonly life: Life;
}

/** Builds the house: who knows whom is decided here, and nowhere else. */
export function build(options: ReadOptions): Rooms {
  const { backend, scheduler, clock, settings } = options;
  const reports = new Reports(settings.name, options.logger);
  const core: Core = {
    backend,
    scheduler,
    clock,
    settings,
    middleware: options.middleware,
    catalogue: options.catalogue,
    activity: new ActivityCount(),
    calls: new Calls(clock.real),
    pauses: new Pauses(clock.real),
    isStopping: () => life.isStopped,
    listens: (name) => reports.listens(name),
    emit: (name, ...details) => reports.emit(name, details),
    report: (error) => reports.error(error),
    log: (level, message, extra) => reports.log(level, message, extra),
  };
  const workers = new Set<Worker>();
  const jobs = new Jobs(core);
  const leases = new Leases(core);
  const frames = new HandlerFrames(settings.name);
  const suspects = new Suspects(core, jobs, workers);
  const outbox = new Outbox(core, backend);
  const scheduling = new Scheduling(core, outbox, leases);
  const publisher = new Publisher(core, outbox, scheduling.outbox);
  const place = { core, publisher, leases, jobs, suspects, frames, scheduling };
  const subscriptions = new Subscriptions(place, workers);
  const shutdown = (onClosed: () => void): Shutdown => new Shutdown(place, outbox, workers, onClosed);
  const life: Life = new Life({ core, subscriptions, scheduling, shutdown });
  return {
    reports,
    frames,
    publisher,
    subscriptions,
    waiting: new Waiting(core),
    deadLetters: new DeadLetters(core, leases, backend),
    scheduledDead: new DeadLetters(core, leases, scheduler),
    queues: new Queues(core, subscriptions),
    life,
  };
}
