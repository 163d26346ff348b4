import {
  type Backend,
  type BackendError,
  type Binding,
  backendError,
  type Capabilities,
  type Clock,
  type ConsumeOptions,
  type Consumer,
  type Env,
  type Ms,
  type Outgoing,
  type QueueStats,
  type Sent,
  type Sink,
  SystemClock,
} from 'wrkr/backend';
import { Broker } from './broker.ts';
import { ByFilter } from './by-filter.ts';
import { Item } from './item.ts';
import { MemoryConsumer } from './memory-consumer.ts';
import { CAPABILITIES, checkOptions, type MemoryOptions } from './options.ts';
import type { Queue } from './queue.ts';

/** Until it is given a clock. */
const MACHINE = new SystemClock();

const ALL_SENT: Sent = Object.freeze({ failures: [], deduplicated: [] });
const NO_TX = 'this backend has no transactions';

/** The reference backend: everything in this process, in the plainest way. Nothing survives the process. */
export class MemoryBackend implements Backend {
  readonly name = 'memory';
  readonly capabilities: Capabilities;
  readonly broker: Broker;
  readonly cancel?: NonNullable<Backend['cancel']>;
  readonly change?: NonNullable<Backend['change']>;
  readonly browse?: NonNullable<Backend['browse']>;
  readonly stats?: NonNullable<Backend['stats']>;
  readonly #byFilter: ByFilter;
  readonly #consumers = new Set<MemoryConsumer>();
  #env: Env | undefined;
  #state: 'new' | 'open' | 'cut' | 'closed' = 'new';

  /** Throws a TypeError for options that make no sense. */
  constructor(options: MemoryOptions = {}) {
    checkOptions(options);
    this.broker = options.broker ?? new Broker();
    this.#byFilter = new ByFilter(this.broker);
    this.capabilities = { ...CAPABILITIES, ...options.capabilities };
    const { cancel, change, browse, stats } = this.capabilities;
    if (cancel) this.cancel = async (filter) => this.#lookup.cancel(filter);
    if (change) this.change = async (filter, to) => this.#lookup.change(filter, to, this.now());
    if (browse) this.browse = async (filter, page) => this.#lookup.browse(filter, page, this.now());
    if (stats) this.stats = async (queue) => this.#stats(queue);
  }

  get clock(): Clock {
    return this.#opened.clock;
  }

  get connected(): boolean {
    return this.#state === 'open';
  }

  now(): Ms {
    return (this.#env?.clock ?? MACHINE).now();
  }

  async open(env: Env): Promise<void> {
    if (this.#state === 'closed') throw backendError('closed', 'it was closed: make a new MemoryBackend on the same broker');
    if (this.#state !== 'new') return;
    this.#env = env;
    this.#state = 'open';
    env.onState('up');
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const opened = this.#state !== 'new';
    this.#state = 'closed';
    for (const consumer of this.#consumers) consumer.giveBack();
    this.#leave();
    if (opened) this.#env?.onState('closed');
  }

  /** For tests: the process dies. Timed leases end in their time; those of a connection end with it. */
  crash(): void {
    this.#state = 'closed';
    if (this.capabilities.lease.kind === 'connection') for (const consumer of this.#consumers) consumer.giveBack();
    this.#leave();
  }

  /** For tests: the connection is lost. Calls reject with `unavailable` until `restore()`; connection leases are lost at once. */
  cut(): void {
    if (this.#state !== 'open') return;
    this.#state = 'cut';
    const why = backendError('unavailable', 'the connection was cut');
    this.#opened.onState('down', why);
    if (this.capabilities.lease.kind === 'timed') return;
    for (const consumer of this.#consumers) {
      consumer.giveBack();
      consumer.sink.lost('all', why);
    }
  }

  /** For tests: the connection is back, and its consumers with it. */
  restore(): void {
    if (this.#state !== 'cut') return;
    this.#state = 'open';
    this.#opened.onState('up');
    for (const consumer of this.#consumers) consumer.resume();
  }

  async bind(batch: readonly Binding[]): Promise<void> {
    this.check();
    for (const binding of batch) this.broker.bind({ ...binding });
  }

  async unbind(batch: readonly Binding[]): Promise<void> {
    this.check();
    for (const binding of batch) this.broker.unbind(binding);
  }

  async bindings(filter: Partial<Binding> = {}): Promise<readonly Binding[]> {
    this.check();
    const keys = ['queue', 'pattern', 'kind'] as const;
    return this.broker.bindings().filter((one) => keys.every((key) => filter[key] === undefined || filter[key] === one[key]));
  }

  async send(batch: readonly Outgoing[], options: { readonly tx?: unknown } = {}): Promise<Sent> {
    this.check();
    if (options.tx !== undefined) throw backendError('unsupported', NO_TX);
    const now = this.now();
    let sent = ALL_SENT;
    batch.forEach((out, index) => {
      const error = this.#refusal(out, now);
      if (error) sent = { ...sent, failures: [...sent.failures, { index, error }] };
      const instead = error ? undefined : this.#store(out, now);
      if (instead) sent = { ...sent, deduplicated: [...sent.deduplicated, { index, id: instead.id, at: instead.at }] };
    });
    return sent;
  }

  async consume(queue: string, sink: Sink, options: ConsumeOptions): Promise<Consumer> {
    this.check();
    const consumer = new MemoryConsumer(this, this.broker.declare(queue, options.kind), sink, options);
    this.#consumers.add(consumer);
    return consumer;
  }

  async drop(queue: string): Promise<void> {
    this.check();
    this.broker.drop(queue);
  }

  check(): void {
    if (this.#state === 'cut') throw backendError('unavailable', 'the connection was cut');
    if (this.#state !== 'open')
      throw backendError('closed', `the backend is ${this.#state === 'new' ? 'not open yet' : 'closed'}`);
  }

  /** What is looked for and changed by filter, while it is open. */
  get #lookup(): ByFilter {
    this.check();
    return this.#byFilter;
  }

  get #opened(): Env {
    if (!this.#env) throw backendError('closed', 'the backend is not open yet');
    return this.#env;
  }

  #leave(): void {
    for (const consumer of this.#consumers) consumer.leave();
    this.#consumers.clear();
  }

  #refusal(out: Outgoing, now: Ms): BackendError | undefined {
    const { delay, limits } = this.capabilities;
    if (out.body.byteLength > limits.bodyBytes) return backendError('too_large', `the body has over ${limits.bodyBytes} bytes`);
    if (out.at > 0 && !delay) return backendError('unsupported', 'it cannot delay');
    if ('queue' in out.to)
      return this.broker.queue(out.to.queue) ? undefined : backendError('invalid', `there is no queue '${out.to.queue}'`);
    return out.at > now ? backendError('invalid', 'it cannot delay what goes to subscribers: send it to a queue') : undefined;
  }

  /** Returns what is there instead, if its key let it be stored nowhere. */
  #store(out: Outgoing, now: Ms): Item | undefined {
    const queues = 'queue' in out.to ? [this.broker.queue(out.to.queue) as Queue] : this.broker.routes(out.to.event);
    let stored = 0;
    let instead: Item | undefined;
    for (const queue of queues) {
      const bearer = out.key === undefined || !this.capabilities.dedupe ? undefined : queue.bearerOf(out.key);
      const isItself = bearer?.id === out.id;
      if (bearer && !isItself) instead ??= bearer;
      if (bearer && !isItself) continue;
      stored++;
      if (isItself || (out.at > now && queue.hasId(out.id))) continue;
      queue.insert(new Item(out, queue.name, Math.max(out.at, now)), now);
    }
    if (queues.length === 0) this.#opened.onUnrouted?.({ id: out.id, name: out.name });
    return stored === 0 ? instead : undefined;
  }

  #stats(queue: string): QueueStats {
    this.check();
    return this.broker.queue(queue)?.stats(this.now()) ?? { ready: 0, delayed: 0, held: 0, oldestReadyAt: null };
  }
}
