import type { Backend, Capabilities } from './contract/contract.ts';
import type { DeadLetter, DeadLetters } from './dead/dead-letters.ts';
import { fromBackend, WrkrError } from './errors.ts';
import type { Life } from './life.ts';
import {
  type PublishOptions,
  readOptions,
  readPublishOptions,
  readStopOptions,
  type StopOptions,
  type WrkrOptions,
} from './options.ts';
import type { Schemas } from './publish/catalogue.ts';
import type { Receipt } from './publish/event-input.ts';
import { build, type Rooms } from './rooms.ts';
import type { EventFilter, Limited, Paging } from './schedule/filters.ts';
import { failed, type List, type WaitingEvent } from './schedule/waiting.ts';
import type { SubscriptionOptions } from './subscribe/options.ts';
import type { Stats } from './subscribe/queues.ts';
import type { Handler } from './subscribe/registrations.ts';
import type { Subscription } from './subscribe/subscriptions.ts';
import type { BusEvents, State } from './telling/events.ts';
import type { When } from './time/when.ts';
import type { AnyEvents, EventInput, EventMap, PatternOf } from './types.ts';

/** An event bus: publish events, subscribe queues. See the README for what it promises. */
export class Wrkr<Events extends EventMap = AnyEvents> implements AsyncDisposable {
  readonly #backend: Backend;
  readonly #rooms: Rooms;
  readonly #life: Life;

  /** Throws `WRKR_INVALID_OPTION`. Does nothing yet: see {@link start}. */
  constructor(options: WrkrOptions & { readonly catalogue?: Events & Schemas }) {
    const read = readOptions(options);
    this.#backend = read.backend;
    this.#rooms = build(read);
    this.#life = this.#rooms.life;
  }

  get state(): State {
    return this.#life.state;
  }

  /** What the backend can do: complete once `start()` has resolved. */
  get capabilities(): Capabilities {
    return this.#backend.capabilities;
  }

  /** Returns the function that ends it. A listener that throws is caught and logged. */
  on<Name extends keyof BusEvents>(name: Name, listener: (...details: BusEvents[Name]) => void): () => void {
    return this.#rooms.reports.on(name, listener);
  }

  /** Connects, binds everything that was subscribed in one go, then consumes. If it rejects it can be called again. */
  async start(): Promise<void> {
    await this.#life.start();
  }

  /**
   * Takes no new work, lets running handlers finish and their acks be written, gives the rest back, closes. From inside a handler
   * it resolves when everything else has stopped.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const caller = this.#rooms.frames.jobAround();
    await this.#life.stop(readStopOptions(options), caller);
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
      this.#life.check();
      const session = options === undefined ? undefined : readPublishOptions(options);
      return isList(input) ? this.#rooms.publisher.publishAll(input, session) : this.#rooms.publisher.publish(input, session);
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
    this.#life.checkNotStopped();
    const registration = this.#rooms.subscriptions.register(queue, pattern, handler as Handler, options);
    if (this.#life.started === undefined) return this.#rooms.subscriptions.asSubscription(registration);
    try {
      await this.#life.started;
      await this.#rooms.subscriptions.open(registration);
    } catch (error) {
      await this.#rooms.subscriptions.remove(registration);
      throw error instanceof WrkrError ? error : fromBackend(error, 'subscribe');
    }
    return this.#rooms.subscriptions.asSubscription(registration);
  }

  /** Removes the binding for every process: no new copies. Those that are in the queue stay, and are handled. */
  async unsubscribe(queue: string, pattern: string): Promise<void> {
    this.#life.check();
    await this.#rooms.subscriptions.unsubscribe(queue, pattern).catch(failed('unsubscribe'));
  }

  /** What waits: without `queue` what is not yet due, with it what is in that queue and not being handled. */
  async find(filter: EventFilter & Paging = {}): Promise<List<WaitingEvent>> {
    this.#life.check();
    return this.#rooms.waiting.find(filter);
  }

  /** Takes back what waits, by receipt or filter. Resolves with how many; `null` where the backend cannot know. */
  async cancel(filter: EventFilter): Promise<number | null> {
    this.#life.check();
    return this.#rooms.waiting.cancel(filter);
  }

  /**
   * Gives what waits another time, by receipt or filter; it keeps its id, and is never lost or there twice. Without `queue` what is
   * not yet due, with it what waits in that queue. Resolves with how many.
   */
  async reschedule(filter: EventFilter, when: When): Promise<number> {
    this.#life.check();
    return this.#rooms.waiting.reschedule(filter, when);
  }

  /** Events that were given up. `queue` is where they died. */
  async deadLetters(filter: EventFilter & Paging = {}): Promise<List<DeadLetter>> {
    this.#life.check();
    return this.#deadOf(filter).list(filter);
  }

  /** Sends dead letters back to where they died, to be tried anew. Resolves with how many. */
  async redrive(filter: EventFilter & Limited): Promise<number> {
    this.#life.check();
    return this.#deadOf(filter).redrive(filter);
  }

  /** Throws dead letters away. Resolves with how many. */
  async discard(filter: EventFilter & Limited): Promise<number> {
    this.#life.check();
    return this.#deadOf(filter).discard(filter);
  }

  /** How many events a queue has: `null` where the backend cannot know, zeros if there is no such queue. */
  async stats(queue: string): Promise<Stats> {
    this.#life.check();
    return this.#rooms.queues.stats(queue);
  }

  /** All subscriptions that there are, of all processes. */
  async subscriptions(): Promise<readonly { readonly queue: string; readonly pattern: string }[]> {
    this.#life.check();
    return this.#rooms.queues.bindings();
  }

  /** This process begins nothing new from this queue and gives back what it has not begun; what runs goes on. */
  async pause(queue: string): Promise<void> {
    this.#life.check();
    this.#rooms.queues.pause(queue);
  }

  async resume(queue: string): Promise<void> {
    this.#life.check();
    this.#rooms.queues.resume(queue);
  }

  /** Throws away what waits in a queue, due or not; dead letters and what is being handled stay. Resolves with how many. */
  async purge(queue: string): Promise<number | null> {
    this.#life.check();
    return this.#rooms.queues.purge(queue);
  }

  /** For every process: its bindings, its events and its dead letters go, and this process's handlers of it. */
  async deleteQueue(queue: string): Promise<void> {
    this.#life.check();
    await this.#rooms.queues.delete(queue);
  }

  /** What died in one of our own queues is where these are. */
  #deadOf(filter: EventFilter): DeadLetters {
    return String(filter?.queue).startsWith('$') ? this.#rooms.scheduledDead : this.#rooms.deadLetters;
  }
}

function isList(input: unknown): input is readonly unknown[] {
  return Array.isArray(input);
}
