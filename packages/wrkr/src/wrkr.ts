import { Calls } from './calls.ts';
import type { Backend, BackendError, Capabilities, Env, LogLevel, Ms } from './contract/contract.ts';
import { ActivityCount, type Core } from './core.ts';
import { type DeadLetter, DeadLetters } from './dead/dead-letters.ts';
import { HandlerFrames } from './deliver/handler-frames.ts';
import { Jobs } from './deliver/jobs.ts';
import { Leases } from './deliver/leases.ts';
import { Shutdown } from './deliver/shutdown.ts';
import { Suspects } from './deliver/suspects.ts';
import type { Worker } from './deliver/worker.ts';
import { fromBackend, messageOf, WrkrError } from './errors.ts';
import { type BusEvents, EVENTS, Listeners, type State } from './events.ts';
import { didYouMean } from './nearest.ts';
import {
  type Logger,
  type PublishOptions,
  readOptions,
  readPublishOptions,
  readStopOptions,
  type StopOptions,
  type WrkrOptions,
} from './options.ts';
import type { Schemas } from './publish/catalogue.ts';
import type { Receipt } from './publish/event-input.ts';
import { describe } from './publish/names.ts';
import { Outbox } from './publish/outbox.ts';
import { Publisher } from './publish/publisher.ts';
import type { EventFilter, Limited, Paging } from './schedule/filters.ts';
import { Scheduling } from './schedule/scheduling.ts';
import { failed, type List, Waiting, type WaitingEvent } from './schedule/waiting.ts';
import type { SubscriptionOptions } from './subscribe/options.ts';
import { Queues, type Stats } from './subscribe/queues.ts';
import type { Handler } from './subscribe/registrations.ts';
import { type Subscription, Subscriptions } from './subscribe/subscriptions.ts';
import { Pauses } from './time/pauses.ts';
import type { When } from './time/when.ts';
import { trace } from './trace.ts';
import type { AnyEvents, EventInput, EventMap, PatternOf } from './types.ts';

/** Which bus a backend object serves. */
const owners = new WeakMap<Backend, object>();

/** An event bus: publish events, subscribe queues. See the README for what it promises. */
export class Wrkr<Events extends EventMap = AnyEvents> implements AsyncDisposable {
  readonly #backend: Backend;
  readonly #scheduler: Backend;
  readonly #core: Core;
  readonly #logger: Logger;
  readonly #listeners = new Listeners((thrown, name) => this.#log('error', `a listener of '${name}' threw`, { thrown }));
  readonly #publisher: Publisher;
  readonly #subscriptions: Subscriptions;
  readonly #scheduling: Scheduling;
  readonly #waiting: Waiting;
  readonly #deadLetters: DeadLetters;
  readonly #scheduledDead: DeadLetters;
  readonly #queues: Queues;
  readonly #shutdown: Shutdown;
  readonly #frames: HandlerFrames;
  #state: State = 'new';
  #starting: Promise<void> | undefined;
  /** Queues are declared: events can be published. */
  #usable = false;
  #stopped = false;
  /** Those that have lost their server. */
  readonly #away = new Set<Backend>();
  #unwatch: (() => void) | undefined;

  /** Throws `WRKR_INVALID_OPTION`. Does nothing yet: see {@link start}. */
  constructor(options: WrkrOptions & { readonly catalogue?: Events & Schemas }) {
    const { backend, scheduler, clock, logger, middleware, catalogue, settings } = readOptions(options);
    this.#backend = backend;
    this.#scheduler = scheduler;
    this.#frames = new HandlerFrames(settings.name);
    this.#logger = logger;
    const core: Core = {
      backend,
      scheduler,
      clock,
      settings,
      middleware,
      catalogue,
      activity: new ActivityCount(),
      calls: new Calls(clock.real),
      pauses: new Pauses(clock.real),
      isStopping: () => this.#stopped,
      listens: (name) => this.#listeners.has(name),
      emit: (name, ...details) => this.#listeners.emit(name, details),
      report: (error) => this.#report(error),
      log: (level, message, extra) => this.#log(level, message, extra),
    };
    const workers = new Set<Worker>();
    const jobs = new Jobs(core);
    const leases = new Leases(core);
    this.#core = core;
    const outbox = new Outbox(core, backend);
    const scheduling = new Scheduling(core, outbox, leases);
    this.#scheduling = scheduling;
    this.#publisher = new Publisher(core, outbox, scheduling.outbox);
    const suspects = new Suspects(core, jobs, workers);
    const place = { core, publisher: this.#publisher, leases, jobs, suspects, frames: this.#frames, scheduling };
    this.#subscriptions = new Subscriptions(place, workers);
    this.#waiting = new Waiting(core);
    this.#deadLetters = new DeadLetters(core, leases, backend);
    this.#scheduledDead = new DeadLetters(core, leases, scheduler);
    this.#queues = new Queues(core, this.#subscriptions);
    this.#shutdown = new Shutdown(place, outbox, workers, () => this.#closed());
  }

  get state(): State {
    return this.#state;
  }

  /** What the backend can do: complete once `start()` has resolved. */
  get capabilities(): Capabilities {
    return this.#backend.capabilities;
  }

  /** Returns the function that ends it. A listener that throws is caught and logged. */
  on<Name extends keyof BusEvents>(name: Name, listener: (...details: BusEvents[Name]) => void): () => void {
    checkListener(name, listener);
    return this.#listeners.add(name, listener);
  }

  /** Connects, binds everything that was subscribed in one go, then consumes. If it rejects it can be called again. */
  async start(): Promise<void> {
    if (this.#stopped) throw closedError();
    this.#starting ??= this.#start();
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error instanceof WrkrError ? error : fromBackend(error, 'start');
    }
  }

  /**
   * Takes no new work, lets running handlers finish and their acks be written, gives the rest back, closes. From inside a handler
   * it resolves when everything else has stopped.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const timeoutMs = readStopOptions(options);
    const caller = this.#frames.jobAround();
    this.#stopped = true;
    if (this.#state === 'closed') return;
    this.#enter('stopping');
    await this.#shutdown.run(timeoutMs, this.#starting, caller);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Resolves when every subscribed queue has its copy (or, for a delayed event, when the order to make them is stored); several
   * events resolve with their receipts in order. Rejects with `applied`: whether anything may be stored.
   */
  publish(event: EventInput<Events>, options?: PublishOptions): Promise<Receipt>;
  publish(events: readonly EventInput<Events>[], options?: PublishOptions): Promise<readonly Receipt[]>;
  publish(
    input: EventInput<Events> | readonly EventInput<Events>[],
    options?: PublishOptions,
  ): Promise<Receipt | readonly Receipt[]> {
    try {
      this.#check();
      const session = options === undefined ? undefined : readPublishOptions(options);
      return isList(input) ? this.#publisher.publishAll(input, session) : this.#publisher.publish(input, session);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Before `start()` it only registers. Afterwards it resolves when the queue is bound. */
  async subscribe<Pattern extends PatternOf<Events>>(
    queue: string,
    pattern: Pattern,
    handler: Handler<Events, Pattern>,
    options: SubscriptionOptions = {},
  ): Promise<Subscription> {
    if (this.#stopped) throw closedError();
    const registration = this.#subscriptions.register(queue, pattern, handler as Handler, options);
    if (this.#starting === undefined) return this.#subscriptions.asSubscription(registration);
    try {
      await this.#starting;
      await this.#subscriptions.open(registration);
    } catch (error) {
      await this.#subscriptions.remove(registration);
      throw error instanceof WrkrError ? error : fromBackend(error, 'subscribe');
    }
    return this.#subscriptions.asSubscription(registration);
  }

  /** Removes the binding for every process: no new copies. Those that are in the queue stay, and are handled. */
  async unsubscribe(queue: string, pattern: string): Promise<void> {
    this.#check();
    await this.#subscriptions.unsubscribe(queue, pattern).catch(failed('unsubscribe'));
  }

  /** What waits: without `queue` what is not yet due, with it what is in that queue and not being handled. */
  async find(filter: EventFilter & Paging = {}): Promise<List<WaitingEvent>> {
    this.#check();
    return this.#waiting.find(filter);
  }

  /** Takes back what waits, by receipt or filter. Resolves with how many; `null` where the backend cannot know. */
  async cancel(filter: EventFilter): Promise<number | null> {
    this.#check();
    return this.#waiting.cancel(filter);
  }

  /**
   * Gives what waits another time, by receipt or filter; it keeps its id, and is never lost or there twice. Without `queue` what is
   * not yet due, with it what waits in that queue. Resolves with how many.
   */
  async reschedule(filter: EventFilter, when: When): Promise<number> {
    this.#check();
    return this.#waiting.reschedule(filter, when);
  }

  /** Events that were given up. `queue` is where they died. */
  async deadLetters(filter: EventFilter & Paging = {}): Promise<List<DeadLetter>> {
    this.#check();
    return this.#deadOf(filter).list(filter);
  }

  /** Sends dead letters back to where they died, to be tried anew. Resolves with how many. */
  async redrive(filter: EventFilter & Limited): Promise<number> {
    this.#check();
    return this.#deadOf(filter).redrive(filter);
  }

  /** Throws dead letters away. Resolves with how many. */
  async discard(filter: EventFilter & Limited): Promise<number> {
    this.#check();
    return this.#deadOf(filter).discard(filter);
  }

  /** How many events a queue has: `null` where the backend cannot know, zeros if there is no such queue. */
  async stats(queue: string): Promise<Stats> {
    this.#check();
    return this.#queues.stats(queue);
  }

  /** All subscriptions that there are, of all processes. */
  async subscriptions(): Promise<readonly { readonly queue: string; readonly pattern: string }[]> {
    this.#check();
    return this.#queues.bindings();
  }

  /** This process begins nothing new from this queue and gives back what it has not begun; what runs goes on. */
  async pause(queue: string): Promise<void> {
    this.#check();
    this.#queues.pause(queue);
  }

  async resume(queue: string): Promise<void> {
    this.#check();
    this.#queues.resume(queue);
  }

  /** Throws away what waits in a queue, due or not; dead letters and what is being handled stay. Resolves with how many. */
  async purge(queue: string): Promise<number | null> {
    this.#check();
    return this.#queues.purge(queue);
  }

  /** For every process: its bindings, its events and its dead letters go, and this process's handlers of it. */
  async deleteQueue(queue: string): Promise<void> {
    this.#check();
    await this.#queues.delete(queue);
  }

  /** What died in one of our own queues is where these are. */
  #deadOf(filter: EventFilter): DeadLetters {
    return String(filter?.queue).startsWith('$') ? this.#scheduledDead : this.#deadLetters;
  }

  async #start(): Promise<void> {
    this.#enter('starting');
    const { activity, clock } = this.#core;
    this.#unwatch ??= clock.watch?.(activity);
    activity.begin();
    try {
      this.#backendsInUse('take');
      await this.#open();
      this.#scheduling.prepare();
      await this.#bind();
      this.#usable = true;
      if (this.#stopped) return;
      await this.#subscriptions.openAll();
      await this.#scheduling.open();
      if (!this.#stopped) this.#enter(this.#away.size > 0 ? 'down' : 'up');
    } catch (error) {
      if (this.#stopped && codeOf(error) === 'WRKR_CLOSED') return;
      this.#usable = false;
      await this.#subscriptions.closeAll();
      await this.#scheduling.stop();
      this.#backendsInUse('free');
      this.#enter('new');
      throw error;
    } finally {
      activity.end();
    }
  }

  /** A backend object serves one bus: two would close it under each other. */
  #backendsInUse(act: 'take' | 'free'): void {
    for (const backend of new Set([this.#backend, this.#scheduler])) {
      const owner = owners.get(backend);
      if (act === 'free' && owner === this) owners.delete(backend);
      if (act === 'free') continue;
      if (owner !== undefined && owner !== this) {
        const message = `this ${backend.name} backend object serves another Wrkr: give each one of its own (on memory, they can share a Broker)`;
        throw new WrkrError('WRKR_INVALID_OPTION', message);
      }
      owners.set(backend, this);
    }
  }

  async #open(): Promise<void> {
    for (const backend of new Set([this.#backend, this.#scheduler])) {
      await backend.open(this.#env(backend));
      if (this.#state === 'closed') await backend.close();
      if (this.#state === 'closed') throw closedError(); // stop() did not wait any longer
      checkLease(this.#core.settings.leaseMs, backend.capabilities);
    }
  }

  /** In one call, or one each. */
  async #bind(): Promise<void> {
    const { bindings, isCompanion } = this.#scheduling;
    await this.#subscriptions.bindAll(isCompanion ? [] : bindings);
    if (isCompanion) await this.#scheduler.bind(bindings);
  }

  #env(backend: Backend): Env {
    return {
      clock: this.#core.clock,
      log: (level, message, extra) => this.#log(level, message, extra),
      onState: (state, why) => this.#connection(backend, state, why),
      onUnrouted: (event) => this.#core.emit('unrouted', event),
    };
  }

  #connection(backend: Backend, state: 'up' | 'down' | 'closed', why?: BackendError): void {
    if (state === 'down') this.#away.add(backend);
    else this.#away.delete(backend);
    if (state === 'up') this.#core.pauses.hurry();
    if (this.#state !== 'up' && this.#state !== 'down') return;
    if (state === 'down') this.#log('warn', `the ${backend.name} backend has lost its server`, why && { why });
    if (state === 'up') this.#log('info', `the ${backend.name} backend has its server again`);
    this.#enter(this.#away.size > 0 ? 'down' : 'up');
  }

  #closed(): void {
    this.#usable = false;
    this.#backendsInUse('free');
    this.#unwatch?.();
    this.#enter('closed');
  }

  #enter(state: State): void {
    if (this.#state === state) return;
    this.#state = state;
    trace.bus('%s is %s', this.#core.settings.name, state);
    this.#core.emit('state', state);
  }

  #check(): void {
    if (this.#usable) return;
    if (this.#stopped) throw closedError();
    throw new WrkrError('WRKR_NOT_STARTED', 'the bus has not been started: await wrkr.start() first', { applied: 'no' });
  }

  #report(error: WrkrError): void {
    if (this.#listeners.has('error')) this.#listeners.emit('error', [error]);
    else this.#log('error', error.message, { error });
  }

  #log(level: LogLevel, message: string, extra?: object): void {
    trace.bus('%s: %s %s %o', this.#core.settings.name, level, message, extra ?? {});
    try {
      this.#logger[level]?.(message, extra);
    } catch (thrown) {
      trace.bus('%s: the logger threw: %s', this.#core.settings.name, messageOf(thrown));
    }
  }
}

function checkListener(name: unknown, listener: unknown): void {
  if (typeof name !== 'string' || !EVENTS.has(name)) {
    const hint = typeof name === 'string' ? didYouMean(name, EVENTS) : '';
    throw new WrkrError('WRKR_INVALID_CALL', `there is no ${describe(name)} to listen to: ${[...EVENTS].join(', ')}${hint}`);
  }
  if (typeof listener !== 'function')
    throw new WrkrError('WRKR_INVALID_CALL', `the listener of '${name}' must be a function, not ${describe(listener)}`);
}

function isList(input: unknown): input is readonly unknown[] {
  return Array.isArray(input);
}

function codeOf(error: unknown): unknown {
  return error instanceof WrkrError ? error.code : undefined;
}

function closedError(): WrkrError {
  return new WrkrError('WRKR_CLOSED', 'the bus was stopped: make a new Wrkr to go on', { applied: 'no' });
}

function checkLease(leaseMs: Ms, { lease }: Capabilities): void {
  if (lease.kind !== 'timed' || leaseMs >= lease.minMs) return;
  throw new WrkrError('WRKR_INVALID_OPTION', `lease is ${leaseMs} ms; this backend needs ${lease.minMs} ms or more`);
}
