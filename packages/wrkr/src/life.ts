import type { Backend, BackendError, Capabilities, Env, Ms } from './contract/contract.ts';
import type { Core } from './core.ts';
import type { Job } from './deliver/job.ts';
import type { Shutdown } from './deliver/shutdown.ts';
import { fromBackend, WrkrError } from './errors.ts';
import type { Scheduling } from './schedule/scheduling.ts';
import type { Subscriptions } from './subscribe/subscriptions.ts';
import type { State } from './telling/events.ts';
import { trace } from './telling/trace.ts';

/** Which bus a backend object serves. */
const owners = new WeakMap<Backend, Life>();

/** What a life begins and ends. */
export interface Living {
  readonly core: Core;
  readonly subscriptions: Subscriptions;
  readonly scheduling: Scheduling;
  /** `onClosed` is called at the very end. */
  readonly shutdown: (onClosed: () => void) => Shutdown;
}

/**
 * From `start()` to `stop()`.
 *
 * - NEW       subscriptions are only registered. Leaves by `start` to STARTING, by `stop` to STOPPING.
 * - STARTING  backends are opened, queues bound, then consumed. Leaves to UP; if something fails, back to NEW, with nothing running.
 * - UP, DOWN  it works; DOWN while a backend has lost its server.
 * - STOPPING  see `Shutdown`; what is being started is waited for. Leaves to CLOSED.
 * - CLOSED    for good.
 */
export class Life {
  readonly #core: Core;
  readonly #subscriptions: Subscriptions;
  readonly #scheduling: Scheduling;
  readonly #shutdown: Shutdown;
  #state: State = 'new';
  #starting: Promise<void> | undefined;
  /** Queues are declared: events can be published. */
  #usable = false;
  #opened = false;
  #stopped = false;
  /** Those that have lost their server. */
  readonly #away = new Set<Backend>();
  #unwatch: (() => void) | undefined;

  constructor({ core, subscriptions, scheduling, shutdown }: Living) {
    this.#core = core;
    this.#subscriptions = subscriptions;
    this.#scheduling = scheduling;
    this.#shutdown = shutdown(() => this.#closed());
  }

  get state(): State {
    return this.#state;
  }

  /** `stop()` was called. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Settles when what `start()` began is done; nothing before. */
  get started(): Promise<void> | undefined {
    return this.#starting;
  }

  /** Throws unless calls that need the backend can be made. */
  check(): void {
    if (this.#usable) return;
    this.checkNotStopped();
    throw new WrkrError('WRKR_NOT_STARTED', 'the bus has not been started: await wrkr.start() first', { applied: 'no' });
  }

  checkNotStopped(): void {
    if (this.#stopped) throw closedError();
  }

  async start(): Promise<void> {
    this.checkNotStopped();
    this.#starting ??= this.#start();
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error instanceof WrkrError ? error : fromBackend(error, 'start');
    }
  }

  async stop(timeoutMs: Ms, caller: Job | undefined): Promise<void> {
    this.#stopped = true;
    if (this.#state === 'closed') return;
    this.#enter('stopping');
    await this.#shutdown.run(timeoutMs, this.#starting, caller);
  }

  async #start(): Promise<void> {
    const { activity, clock } = this.#core;
    this.#enter('starting');
    this.#unwatch ??= clock.watch?.(activity);
    activity.begin();
    try {
      this.#takeBackends();
      await this.#open();
      await this.#bind();
      if (!this.#stopped) await this.#consume();
    } catch (error) {
      if (!this.#stopped) await this.#undo(error);
      else if (!this.#usable) throw error;
    } finally {
      activity.end();
    }
  }

  async #open(): Promise<void> {
    for (const backend of this.#backends()) {
      await this.#core.calls.bounded(backend.open(this.#env(backend)));
      if (this.#state === 'closed') await backend.close();
      if (this.#state === 'closed') throw closedError(); // stop() did not wait any longer
      checkLease(this.#core.settings.leaseMs, backend.capabilities);
    }
    this.#opened = true;
    this.#scheduling.prepare();
  }

  /** In one call, or one each. */
  async #bind(): Promise<void> {
    const { calls, pauses, scheduler, settings } = this.#core;
    const { bindings, isCompanion } = this.#scheduling;
    await this.#subscriptions.bindAll(isCompanion ? [] : bindings);
    const patience = { patienceMs: settings.publishTimeoutMs, pauses };
    if (isCompanion) await calls.repeated(() => scheduler.bind(bindings), patience);
    this.#usable = true;
  }

  async #consume(): Promise<void> {
    await this.#subscriptions.openAll();
    await this.#scheduling.open();
    if (!this.#stopped) this.#enter(this.#away.size > 0 ? 'down' : 'up');
  }

  /** It failed: nothing stays open, and it can be started again. */
  async #undo(error: unknown): Promise<never> {
    this.#usable = false;
    await this.#subscriptions.closeAll();
    await this.#scheduling.stop();
    if (!this.#opened) this.#freeBackends(); // one that is open keeps our clock and callbacks
    this.#enter('new');
    throw error;
  }

  #backends(): ReadonlySet<Backend> {
    return new Set([this.#core.backend, this.#core.scheduler]);
  }

  /** A backend object serves one bus: two would close it under each other. */
  #takeBackends(): void {
    for (const backend of this.#backends()) {
      if ((owners.get(backend) ?? this) !== this) {
        const message = `this ${backend.name} backend object serves another Wrkr: give each one of its own (on memory, they can share a Broker)`;
        throw new WrkrError('WRKR_INVALID_OPTION', message);
      }
    }
    for (const backend of this.#backends()) owners.set(backend, this);
  }

  #freeBackends(): void {
    for (const backend of this.#backends()) if (owners.get(backend) === this) owners.delete(backend);
  }

  #env(backend: Backend): Env {
    const { clock, emit, log } = this.#core;
    return {
      clock,
      log,
      onState: (state, why) => this.#connection(backend, state, why),
      onUnrouted: (event) => emit('unrouted', event),
    };
  }

  #connection(backend: Backend, state: 'up' | 'down' | 'closed', why?: BackendError): void {
    const { log, pauses } = this.#core;
    if (state === 'down') this.#away.add(backend);
    else this.#away.delete(backend);
    if (state === 'up') pauses.hurry();
    if (this.#state !== 'up' && this.#state !== 'down') return;
    if (state === 'down') log('warn', `the ${backend.name} backend has lost its server`, why && { why });
    if (state === 'up') log('info', `the ${backend.name} backend has its server again`);
    this.#enter(this.#away.size > 0 ? 'down' : 'up');
  }

  #closed(): void {
    this.#usable = false;
    this.#freeBackends();
    this.#unwatch?.();
    this.#enter('closed');
  }

  #enter(state: State): void {
    if (this.#state === state) return;
    this.#state = state;
    trace.bus('%s is %s', this.#core.settings.name, state);
    this.#core.emit('state', state);
  }
}

function closedError(): WrkrError {
  return new WrkrError('WRKR_CLOSED', 'the bus was stopped: make a new Wrkr to go on', { applied: 'no' });
}

function checkLease(leaseMs: Ms, { lease }: Capabilities): void {
  if (lease.kind !== 'timed' || leaseMs >= lease.minMs) return;
  throw new WrkrError('WRKR_INVALID_OPTION', `lease is ${leaseMs} ms; this backend needs ${lease.minMs} ms or more`);
}
