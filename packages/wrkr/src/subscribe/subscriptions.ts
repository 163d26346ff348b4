import { describe } from '../checks/describe.ts';
import type { Backend, Binding } from '../contract/contract.ts';
import { deadQueueOf } from '../contract/words.ts';
import { Worker, type Workplace } from '../deliver/worker.ts';
import { fromBackend, WrkrError } from '../errors.ts';
import { wrapped } from '../middleware/middleware.ts';
import { validating } from '../middleware/validating.ts';
import { checkPattern, checkQueue } from '../publish/names.ts';
import { nextTick } from '../time/clock.ts';
import { readSubscriptionOptions, type SubscriptionOptions } from './options.ts';
import { type Handler, QueueHandlers, type Registration } from './registrations.ts';

/** A handler of this process. Disposing it ends only that: the binding stays, and so do the events of the queue. */
export interface Subscription extends AsyncDisposable {
  readonly queue: string;
  readonly pattern: string;
  /** Resolves when the handler gets no more events; one that runs is left to end. */
  dispose(): Promise<void>;
}

/** Which handlers this process has for which queues, and the workers that run them. */
export class Subscriptions {
  readonly workers: Set<Worker>;
  readonly #place: Workplace;
  readonly #queues = new Map<string, QueueHandlers>();
  readonly #opened = new Map<string, Promise<Worker>>();

  constructor(place: Workplace, workers: Set<Worker>) {
    this.#place = place;
    this.workers = workers;
  }

  /** Checks and remembers; throws `WRKR_INVALID_…`. */
  register(queue: string, pattern: string, handler: Handler, options: SubscriptionOptions): Registration {
    checkQueue(queue);
    checkPattern(pattern);
    if (typeof handler !== 'function') {
      throw new WrkrError('WRKR_INVALID_CALL', `the handler of '${queue}' must be a function, not ${describe(handler)}`);
    }
    const { catalogue, middleware, settings: defaults } = this.#place.core;
    catalogue?.checkName(pattern);
    const around = catalogue ? [...middleware.handle, validating(catalogue)] : middleware.handle;
    const settings = readSubscriptionOptions(options, defaults.retry);
    const registration = { queue, pattern, handler: wrapped(around, handler), settings, bound: true };
    const handlers = this.#queues.get(queue) ?? new QueueHandlers(queue);
    handlers.add(registration);
    this.#queues.set(queue, handlers);
    return registration;
  }

  /** Everything registered so far, and these, in one call. */
  async bindAll(others: readonly Binding[]): Promise<void> {
    const queues = [...this.#queues.values()];
    const parked = queues.map(({ queue }) => parkedOf(queue));
    const bindings = queues.flatMap(({ queue, patterns }) => [...patterns].map((pattern) => bindingOf(queue, pattern)));
    const batch = [...others, ...parked, ...bindings];
    if (batch.length > 0) await this.#repeat((backend) => backend.bind(batch));
  }

  async openAll(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((handlers) => this.#consume(handlers)));
  }

  /** `start()` has failed: what it opened ends, and everything that was registered can be opened again. */
  async closeAll(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    this.#opened.clear();
    for (const one of opened) if (one.status === 'fulfilled') await this.#end(one.value);
  }

  /** One more, while the bus runs. Its queue is consumed from the next tick on, when all of its handlers are there. */
  async open({ queue, pattern }: Registration): Promise<void> {
    await this.#repeat((backend) => backend.bind([parkedOf(queue), bindingOf(queue, pattern)]));
    const handlers = this.#queues.get(queue);
    if (handlers) await this.#consume(handlers);
  }

  asSubscription(registration: Registration): Subscription {
    const { queue, pattern } = registration;
    const dispose = (): Promise<void> => this.remove(registration);
    return { queue, pattern, dispose, [Symbol.asyncDispose]: dispose };
  }

  async remove(registration: Registration): Promise<void> {
    const { queue } = registration;
    const handlers = this.#queues.get(queue);
    handlers?.remove(registration);
    if (!handlers || handlers.size > 0) return;
    this.#queues.delete(queue);
    const worker = await this.#opened.get(queue);
    this.#opened.delete(queue);
    if (worker) await this.#end(worker);
  }

  async #end(worker: Worker): Promise<void> {
    await worker.stop();
    void this.#retire(worker);
  }

  /** Every handler of this process for this queue. */
  async dismiss(queue: string): Promise<void> {
    const worker = await this.#opened.get(queue);
    for (const registration of [...(this.#queues.get(queue)?.registrations ?? [])]) await this.remove(registration);
    await worker?.intake.idle(); // what it gives back is given back
  }

  /** Returns whether there is such a queue here. It is forgotten with its last handler. */
  pause(queue: string): boolean {
    return this.#setPaused(queue, true);
  }

  resume(queue: string): boolean {
    return this.#setPaused(queue, false);
  }

  #setPaused(queue: string, paused: boolean): boolean {
    const handlers = this.#queues.get(queue);
    if (!handlers) return false;
    handlers.paused = paused;
    for (const worker of this.workers) if (worker.serves(handlers)) worker.obey();
    return true;
  }

  /** Somebody else deleted the queue: as if nothing had been subscribed, so that it can be subscribed again. */
  async #forget(handlers: QueueHandlers, worker: Worker): Promise<void> {
    const { queue } = handlers;
    if (this.#queues.get(queue) !== handlers || this.#place.core.isStopping()) return;
    this.#queues.delete(queue);
    this.#opened.delete(queue);
    const message = `queue '${queue}' was deleted: its handlers in this process get nothing more until it is subscribed again`;
    this.#place.core.report(new WrkrError('WRKR_BACKEND', message));
    await this.#end(worker).catch((error) => this.#place.core.report(fromBackend(error, 'a consumer did not stop')));
  }

  /** Its last jobs end and are settled; then nothing is left of it. */
  async #retire(worker: Worker): Promise<void> {
    await worker.idle();
    worker.intake.close();
    this.workers.delete(worker);
  }

  /** For everyone: no new copies. What the queue has already is still handled here. */
  async unsubscribe(queue: string, pattern: string): Promise<void> {
    checkQueue(queue);
    checkPattern(pattern);
    await this.#repeat((backend) => backend.unbind([bindingOf(queue, pattern)]));
    const registration = this.#queues.get(queue)?.get(pattern);
    if (registration) registration.bound = false;
  }

  #consume(handlers: QueueHandlers): Promise<Worker> {
    const known = this.#opened.get(handlers.queue);
    if (known) return known;
    const opening = this.#openWorker(handlers);
    this.#opened.set(handlers.queue, opening);
    opening.catch(() => this.#opened.delete(handlers.queue));
    return opening;
  }

  async #openWorker(handlers: QueueHandlers): Promise<Worker> {
    await new Promise<void>(nextTick);
    if (this.#place.core.isStopping()) throw new WrkrError('WRKR_CLOSED', 'the bus is being stopped');
    const worker = new Worker(this.#place, handlers, (gone) => void this.#forget(handlers, gone));
    this.workers.add(worker);
    try {
      await worker.open();
      return worker;
    } catch (error) {
      this.workers.delete(worker);
      throw fromBackend(error, `queue '${handlers.queue}' cannot be consumed`);
    }
  }

  /** The server may be away for a moment. */
  #repeat(call: (backend: Backend) => Promise<void>): Promise<void> {
    const { backend, calls, pauses, settings } = this.#place.core;
    return calls.repeated(() => call(backend), { patienceMs: settings.publishTimeoutMs, pauses });
  }
}

function bindingOf(queue: string, pattern: string): Binding {
  return { queue, pattern, kind: 'work' };
}

function parkedOf(queue: string): Binding {
  return { queue: deadQueueOf(queue), kind: 'parked' };
}
