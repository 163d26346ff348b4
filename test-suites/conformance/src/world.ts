import assert from 'node:assert/strict';
import { VirtualClock } from '@wrkr/testing';
import { Wrkr, type WrkrOptions } from 'wrkr';
import {
  type Backend,
  type BackendError,
  type BackendErrorCode,
  type Binding,
  type Capabilities,
  type Clock,
  isBackendError,
  type Ms,
  type Outgoing,
  SystemClock,
} from 'wrkr/backend';
import { Child } from './child-process.ts';
import { clean } from './clean.ts';
import { expectDone, listed } from './expect.ts';
import type { Harness, Restore } from './harness.ts';
import { Patience } from './patience.ts';
import { Tap } from './tap.ts';
import { Witness } from './witness.ts';
import type { ConsumeSettings, Sending, WorldOptions } from './world-options.ts';

/**
 * What one case has to itself: names, a clock, and the backends that it makes, which are closed when it is over.
 *
 * Time: where the backend obeys the injected clock it is virtual and `pass` costs nothing. Where the server has its own, `pass`
 * waits, so cases take their spans from {@link span}.
 */
export class World {
  readonly harness: Harness;
  readonly capabilities: Capabilities;
  readonly clock: Clock;
  readonly virtual: boolean;
  /** What the backends and buses logged: shown if the case fails. */
  readonly logs: string[] = [];
  readonly #virtualClock: VirtualClock | undefined;
  readonly #prefix: string;
  readonly #patience: Patience;
  readonly #names = new Set<string>();
  readonly #opened = new Map<Backend, Witness>();
  readonly #buses = new Set<Wrkr>();
  readonly #children = new Set<Child>();
  #sent = 0;

  constructor({ harness, capabilities, prefix, mustComeMs }: WorldOptions) {
    this.harness = harness;
    this.capabilities = capabilities;
    this.#prefix = prefix;
    this.virtual = capabilities.clock === 'injected';
    this.#virtualClock = this.virtual ? new VirtualClock({ patience: 5 }) : undefined;
    this.clock = this.#virtualClock ?? new SystemClock();
    this.#patience = new Patience(this.clock.real, mustComeMs, {
      settle: async () => this.#virtualClock?.settle(),
      here: capabilities.scope === 'process',
    });
  }

  /** A name that no other case has. */
  name(word: string): string {
    const name = `${this.#prefix}.${word}`;
    this.#names.add(name);
    return name;
  }

  /** The first where time is virtual, the second where it has to be waited for. */
  span(virtual: Ms, real: Ms): Ms {
    return this.virtual ? virtual : real;
  }

  /** A lease that the backend allows: five seconds, or as short as it can where it has to be waited for. */
  get leaseMs(): Ms {
    const { lease } = this.capabilities;
    const least = lease.kind === 'timed' ? lease.minMs : 0;
    return Math.max(least, this.span(5000, 2000));
  }

  /** Long enough for what a dead process held to be free. The end of a connection is noticed at once. */
  get leaseOver(): Ms {
    if (this.capabilities.lease.kind === 'connection') return this.span(1, 500);
    return this.leaseMs + this.span(1, 1500);
  }

  /** Timers of the virtual clock that have not fired. */
  get timers(): number {
    return this.#virtualClock?.pending ?? 0;
  }

  async create(): Promise<Backend> {
    return this.harness.create({ namespace: this.#prefix });
  }

  async open(given?: Backend, clock: Clock = this.clock): Promise<Backend> {
    const backend = given ?? (await this.create());
    const witness = this.#opened.get(backend) ?? new Witness(backend, (line) => this.logs.push(line));
    this.#opened.set(backend, witness);
    await backend.open(witness.env(clock));
    return backend;
  }

  /** What this backend said of itself. */
  witness(backend: Backend): Witness {
    return this.#opened.get(backend) ?? assert.fail('the case did not open this backend');
  }

  /** A bus on a backend of its own, which it opens and closes. Nothing goes to the console. */
  async bus(options: Partial<WrkrOptions> = {}): Promise<Wrkr> {
    const backend = options.backend ?? (await this.create());
    const scheduler = await this.harness.scheduler?.({ namespace: this.#prefix });
    const log = (message: string): unknown => this.logs.push(message);
    const logger = { warn: log, error: log };
    const wrkr = new Wrkr({ clock: this.clock, logger, ...(scheduler && { scheduler }), ...options, backend });
    this.#buses.add(wrkr);
    return wrkr;
  }

  /** A bus that has been started, with its subscriptions. */
  async started(subscribe: (wrkr: Wrkr) => Promise<unknown>, options: Partial<WrkrOptions> = {}): Promise<Wrkr> {
    const wrkr = await this.bus(options);
    await subscribe(wrkr);
    await wrkr.start();
    return wrkr;
  }

  /** A process of its own, which runs one of the scripts in `child-scripts.ts` with the harness. */
  child(script: string, data: object = {}): Child {
    assert.ok(this.harness.child, 'the harness has no child');
    const child = new Child(this.harness.child, { script, namespace: this.#prefix, data });
    this.#children.add(child);
    return child;
  }

  async crash(backend: Backend): Promise<void> {
    await this.harness.crash?.(backend);
    this.#opened.delete(backend);
  }

  /** Takes the connection away, until the returned function gives it back. */
  async cut(backend: Backend): Promise<Restore> {
    return (await this.harness.cut?.(backend)) ?? assert.fail('cut() must return what ends the cut');
  }

  /** A queue with its bindings, declared and bound. Without patterns it is only declared. */
  async queue(backend: Backend, word: string, ...patterns: readonly string[]): Promise<string> {
    const queue = this.name(word);
    const bindings = patterns.map((pattern): Binding => ({ queue, pattern, kind: 'work' }));
    await backend.bind([{ queue, kind: 'work' }, ...bindings]);
    return queue;
  }

  outgoing(sending: Sending): Outgoing {
    const id = `${this.name('id')}-${++this.#sent}`;
    const name = 'event' in sending.to ? sending.to.event : this.name('event');
    return { id, name, sentAt: 1_893_456_000_000, at: 0, headers: {}, body: new Uint8Array([1, 2, 3]), ...sending };
  }

  /** Sends one event, which must be taken. Resolves with its id. */
  async send(backend: Backend, sending: Sending): Promise<string> {
    const out = this.outgoing(sending);
    const { failures } = await backend.send([out]);
    expectDone(failures, 'sending an event');
    return out.id;
  }

  async sendMany(backend: Backend, count: number, sending: Sending): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) ids.push(await this.send(backend, sending));
    return ids;
  }

  async consume(backend: Backend, queue: string, settings: ConsumeSettings = {}): Promise<Tap> {
    const tap = new Tap(queue, () => backend.now());
    const { max = 100, leaseMs = Math.max(60_000, this.leaseMs), kind = 'work' } = settings;
    return tap.use(await backend.consume(queue, tap, { max, leaseMs, kind }));
  }

  /** Lets time pass. */
  async pass(ms: Ms): Promise<void> {
    if (this.#virtualClock) await this.#virtualClock.advance(ms);
    else await new Promise<void>((resolve) => this.clock.real.after(ms, resolve));
  }

  /** Waits until it is so; fails, saying what was expected, if it does not come to be. */
  async until(what: string, condition: () => boolean, most?: Ms): Promise<void> {
    await this.#patience.until(() => what, condition, most);
  }

  /** Waits until there are so many. As long as they grow in number, a slow server is not a broken one. */
  async reach(count: number, what: string, figure: () => number): Promise<void> {
    await this.#patience.until(
      () => `${count} ${what} (there were ${figure()})`,
      () => figure() >= count,
      undefined,
      figure,
    );
  }

  /** Waits until the tap has been handed so many in all, and no more. Resolves with them. */
  async arrive(tap: Tap, count: number): Promise<Tap['all']> {
    await this.reach(count, `deliveries from '${tap.queue}'`, () => tap.all.length);
    assert.ok(tap.all.length === count, `'${tap.queue}' should have delivered ${count}, and it delivered ${listed(tap.ids)}`);
    return tap.all;
  }

  /**
   * Proves that nothing else is on its way to this tap: a fresh event on the same path arrives, and it is all that did. What came
   * before it counts as `before`.
   */
  async fence(backend: Backend, tap: Tap, before: number): Promise<void> {
    const id = await this.send(backend, { to: { queue: tap.queue } });
    await this.until(`the fence event in '${tap.queue}'`, () => tap.ids.includes(id));
    const others = tap.ids.filter((one) => one !== id);
    const strays = listed(others.slice(before));
    assert.ok(others.length >= before, `'${tap.queue}' delivered ${others.length} before the fence, and it should be ${before}`);
    assert.ok(others.length === before, `'${tap.queue}' delivered what it should not have: ${strays}`);
    await tap.ack(...tap.all.filter((delivery) => delivery.id === id));
    tap.all.splice(tap.ids.indexOf(id), 1);
  }

  /** The error code of a call that must be refused. */
  async refusal(call: Promise<unknown>, what = 'the call'): Promise<BackendErrorCode> {
    const error: unknown = await call.then(
      () => assert.fail(`${what} was not refused`),
      (thrown: unknown) => thrown,
    );
    assert.ok(isBackendError(error), `${what} must reject with a BackendError, not ${String(error)}`);
    return (error as BackendError).code;
  }

  /** Everything that the case has made comes to its end, also on the server. */
  async end(): Promise<void> {
    for (const child of this.#children) await child.kill();
    for (const bus of this.#buses) await Promise.all([bus.stop({ timeout: 1 }), this.pass(1)]).catch(() => {});
    for (const backend of this.#opened.keys()) await backend.close().catch(() => {});
    if (this.capabilities.scope === 'network') await this.#clean().catch((error: unknown) => this.logs.push(String(error)));
  }

  async #clean(): Promise<void> {
    await clean(await this.create(), this.clock, this.#names);
  }
}
