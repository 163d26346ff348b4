import type { Binding } from '../contract/contract.ts';
import { deadQueueOf, RELAY, RETRIES } from '../contract/words.ts';
import type { Core } from '../core.ts';
import type { Leases } from '../deliver/leases.ts';
import { WrkrError } from '../errors.ts';
import { Outbox } from '../publish/outbox.ts';
import { BACK_TO_QUEUE, Relay, TO_SUBSCRIBERS } from './relay.ts';
import { Retries } from './retries.ts';

/** What lets events wait that the backend does not let wait by itself: its queues, and who sends them on. */
export class Scheduling {
  /** To where delayed events wait. */
  readonly outbox: Outbox;
  readonly #core: Core;
  readonly #toBackend: Outbox;
  readonly #leases: Leases;
  #relays: readonly Relay[] = [];
  #retries: Retries | undefined;

  constructor(core: Core, toBackend: Outbox, leases: Leases) {
    this.#core = core;
    this.#toBackend = toBackend;
    this.#leases = leases;
    this.outbox = this.isCompanion ? new Outbox(core, core.scheduler) : toBackend;
  }

  get isCompanion(): boolean {
    return this.#core.scheduler !== this.#core.backend;
  }

  /** Where retries wait, if it is not their own queue. */
  get retries(): Retries | undefined {
    return this.#retries;
  }

  /** The backends are open. Throws `WRKR_INVALID_OPTION` for a companion that cannot do it. */
  prepare(): void {
    const { backend, scheduler } = this.#core;
    const { delay } = scheduler.capabilities;
    if (this.isCompanion && (!delay || delay.fanOut)) {
      const why = delay ? 'sends to its own subscribers' : 'cannot delay';
      throw new WrkrError(
        'WRKR_INVALID_OPTION',
        `scheduler: the ${scheduler.name} backend ${why}, so it cannot keep events for another`,
      );
    }
    if (this.isCompanion && !backend.capabilities.delay) this.#retries = new Retries(this.#core, this.outbox);
    const routes = this.#queues.map((queue) => (queue === RELAY ? TO_SUBSCRIBERS : BACK_TO_QUEUE));
    const served = this.#core.settings.relay ? routes : [];
    this.#relays = served.map((route) => new Relay(this.#core, this.#toBackend, this.#leases, route));
  }

  /** What the scheduler must have before anything can wait there. */
  get bindings(): readonly Binding[] {
    return this.#queues.flatMap((queue): readonly Binding[] => [
      { queue: deadQueueOf(queue), kind: 'parked' },
      { queue, kind: 'work' },
    ]);
  }

  get #queues(): readonly string[] {
    const { delay } = this.#core.scheduler.capabilities;
    if (!delay || delay.fanOut) return [];
    return this.#retries ? [RELAY, RETRIES] : [RELAY];
  }

  async open(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.open()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.stop()));
  }

  close(): void {
    for (const relay of this.#relays) relay.close();
    this.outbox.close();
  }
}
