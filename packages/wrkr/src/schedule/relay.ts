import type { BackendError, Delivery, Ms, Outgoing } from '../contract/contract.ts';
import { deadQueueOf, RELAY, RETRIES } from '../contract/words.ts';
import type { Core } from '../core.ts';
import { type Holding, Intake, type Receiver } from '../deliver/intake.ts';
import type { Leases } from '../deliver/leases.ts';
import { deadLetter } from '../deliver/verdict.ts';
import { fromBackend } from '../errors.ts';
import { DUE, dueOf, EVENT, QUEUE, withHeaders } from '../headers.ts';
import { Letter } from '../publish/letter.ts';
import type { Outbox } from '../publish/outbox.ts';
import { relayed } from './address.ts';

const MOST = 1000;

/** What a row becomes when it is due. */
export interface Route {
  readonly queue: string;
  readonly address: (row: Delivery) => Pick<Outgoing, 'to' | 'id' | 'headers'>;
}

/** Delayed events go to the subscribers that there are by then. */
export const TO_SUBSCRIBERS: Route = {
  queue: RELAY,
  address: (row) => ({ to: { event: row.name }, id: row.id, headers: relayed(row) }),
};

/** Retries that waited in a companion go back to their queue. */
export const BACK_TO_QUEUE: Route = {
  queue: RETRIES,
  address: ({ id, headers }) => ({
    to: { queue: headers[QUEUE] ?? '' },
    id: headers[EVENT] ?? id,
    headers: withHeaders(headers, { [QUEUE]: undefined, [EVENT]: undefined, [DUE]: undefined }),
  }),
};

/**
 * Sends on what is due: takes rows from a queue of the scheduler, sends each where it belongs, and acks the row when it is stored
 * there. It never reads a body and never gives up on a backend that is away; what can never be sent becomes a dead letter of
 * that queue, with an error.
 */
export class Relay implements Receiver {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #route: Route;
  readonly #intake: Intake;
  #stopped = false;

  /** `outbox` is the one to the backend. */
  constructor(core: Core, outbox: Outbox, leases: Leases, route: Route) {
    this.#core = core;
    this.#outbox = outbox;
    this.#route = route;
    this.#intake = new Intake(core, leases, { backend: core.scheduler, queue: route.queue }, this);
  }

  open(): Promise<void> {
    return this.#intake.open(MOST);
  }

  receive(batch: readonly Holding[]): void {
    for (const row of batch) {
      const due = dueOf(row.d.headers);
      if (this.#stopped) this.#intake.release(row);
      else if (due > this.#core.scheduler.now()) this.#intake.postpone(row, due, row.d.headers);
      else this.#outbox.post(new Forward(this, row, this.#route.address(row.d)));
    }
  }

  /** Its copies may be stored already; whoever has the row now stores them again under the same id. */
  lost(): void {}

  refused(): void {}

  /** Nobody drops it: its name is ours. */
  ended(): void {}

  done(row: Holding): void {
    this.#intake.ack(row);
  }

  failed(row: Holding, error: BackendError): void {
    if (this.#stopped) {
      this.#intake.release(row);
      return;
    }
    const { queue, name } = row.d;
    const report = fromBackend(error, `the delayed '${name}' cannot be sent and is in ${deadQueueOf(queue)}`);
    this.#core.report(report);
    this.#intake.move(row, deadLetter(this.#core, { ...row.d, headers: relayed(row.d) }, report, 0));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#intake.stop();
  }

  close(): void {
    this.#intake.close();
  }
}

/** A row on its way to where it belongs. */
class Forward extends Letter {
  readonly #relay: Relay;
  readonly #row: Holding;

  constructor(relay: Relay, row: Holding, address: Pick<Outgoing, 'to' | 'id' | 'headers'>) {
    const { name, tid, sentAt, body } = row.d;
    super({ name, ...(tid !== undefined && { tid }), sentAt, at: 0, body, ...address });
    this.#relay = relay;
    this.#row = row;
  }

  /** As long as it takes. */
  override get patienceMs(): Ms {
    return Number.POSITIVE_INFINITY;
  }

  override stored(): void {
    this.#relay.done(this.#row);
  }

  override failed(error: BackendError): void {
    this.#relay.failed(this.#row, error);
  }
}
