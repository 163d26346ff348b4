import type { BackendError, Headers, Ms, Outgoing } from '../contract/contract.ts';
import { deadQueueOf, RELAY } from '../contract/words.ts';
import type { Core } from '../core.ts';
import { type Holding, Intake, type Receiver } from '../deliver/intake.ts';
import type { Leases } from '../deliver/leases.ts';
import { deadLetter } from '../deliver/verdict.ts';
import { fromBackend } from '../errors.ts';
import { dueOf } from '../headers.ts';
import type { Letter, Outbox } from '../publish/outbox.ts';
import { relayed } from './address.ts';

const MOST = 1000;

/**
 * Sends delayed events on when they are due: takes rows from `$relay`, sends each to the subscribers that there are by then, and
 * acks the row when they have it. It never reads a body and never gives up on a backend that is away; what can never be sent
 * goes to `$relay.dead`, with an error.
 */
export class Relay implements Receiver {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  #stopped = false;

  constructor(core: Core, outbox: Outbox, leases: Leases) {
    this.#core = core;
    this.#outbox = outbox;
    this.#intake = new Intake(core, leases, RELAY, this);
  }

  open(): Promise<void> {
    return this.#intake.open(MOST);
  }

  receive(batch: readonly Holding[]): void {
    for (const row of batch) {
      const due = dueOf(row.d.headers);
      if (this.#stopped) this.#intake.release(row);
      else if (due > this.#core.backend.now()) this.#intake.postpone(row, due, row.d.headers);
      else this.#outbox.post(new Forward(this, row));
    }
  }

  /** Its copies may be stored already; whoever has the row now stores them again under the same id. */
  lost(): void {}

  done(row: Holding): void {
    this.#intake.ack(row);
  }

  failed(row: Holding, error: BackendError): void {
    if (this.#stopped) {
      this.#intake.release(row);
      return;
    }
    const report = fromBackend(error, `the delayed '${row.d.name}' cannot be sent and is in ${deadQueueOf(RELAY)}`);
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

/** A row on its way to the subscribers. */
class Forward implements Letter {
  readonly to: Outgoing['to'];
  readonly id: string;
  readonly name: string;
  readonly tid?: string;
  readonly sentAt: Ms;
  readonly at = 0;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly patienceMs: Ms = Number.POSITIVE_INFINITY;
  readonly #relay: Relay;
  readonly #row: Holding;

  constructor(relay: Relay, row: Holding) {
    const { id, name, tid, sentAt, body } = row.d;
    this.to = { event: name };
    this.id = id;
    this.name = name;
    if (tid !== undefined) this.tid = tid;
    this.sentAt = sentAt;
    this.headers = relayed(row.d);
    this.body = body;
    this.#relay = relay;
    this.#row = row;
  }

  stored(): void {
    this.#relay.done(this.#row);
  }

  failed(error: BackendError): void {
    this.#relay.failed(this.#row, error);
  }
}
