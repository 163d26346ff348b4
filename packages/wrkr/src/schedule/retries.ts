import type { BackendError, Headers, Ms } from '../contract/contract.ts';
import { RETRIES } from '../contract/words.ts';
import type { Core } from '../core.ts';
import type { Holding, Intake } from '../deliver/intake.ts';
import { fromBackend } from '../errors.ts';
import { DUE, dueOf, EVENT, QUEUE, withHeaders } from '../headers.ts';
import { Ids } from '../publish/ids.ts';
import { Letter } from '../publish/letter.ts';
import type { Outbox } from '../publish/outbox.ts';
import { waitingOn } from './address.ts';

/**
 * For a backend that cannot delay and has a companion: what is to wait in one of its queues is stored in the companion's
 * `$retries`, then acked; a crash between the two leaves both. The relay of `$retries` brings it back to its queue.
 */
export class Retries {
  readonly #core: Core;
  readonly #delayed: Outbox;
  readonly #ids = new Ids();

  constructor(core: Core, delayed: Outbox) {
    this.#core = core;
    this.#delayed = delayed;
  }

  /** `at` is on the backend's clock; what counts between two clocks is the span. */
  park(intake: Intake, holding: Holding, at: Ms, headers: Headers): void {
    const { backend, scheduler } = this.#core;
    const now = scheduler.now();
    const wait = waitingOn(scheduler, headers, now + (at - backend.now()));
    this.#delayed.post(new Retry(this.#core, this.#ids.next(now), intake, holding, wait));
  }
}

/**
 * On its way to the companion. It has an id of its own, because the row before it may not be acked yet, and two queues may have a
 * retry of one event; the event's is in a header.
 */
class Retry extends Letter {
  readonly #core: Core;
  readonly #intake: Intake;
  readonly #holding: Holding;

  constructor(core: Core, rowId: string, intake: Intake, holding: Holding, wait: { readonly at: Ms; readonly headers: Headers }) {
    const { id, name, tid, sentAt, body, queue } = holding.d;
    const headers = withHeaders(wait.headers, { [EVENT]: id, [QUEUE]: queue });
    super({ to: { queue: RETRIES }, id: rowId, name, ...(tid !== undefined && { tid }), sentAt, at: wait.at, headers, body });
    this.#core = core;
    this.#intake = intake;
    this.#holding = holding;
  }

  /** As long as it takes. */
  override get patienceMs(): Ms {
    return Number.POSITIVE_INFINITY;
  }

  override stored(): void {
    this.#intake.ack(this.#holding);
  }

  override failed(error: BackendError): void {
    this.#core.report(fromBackend(error, `a retry of '${this.name}' cannot wait in the scheduler, and waits in this process`));
    const headers = withHeaders(this.headers, { [EVENT]: undefined, [QUEUE]: undefined, [DUE]: undefined });
    const { backend, scheduler } = this.#core;
    const due = dueOf(this.headers) || this.at;
    this.#intake.postpone(this.#holding, backend.now() + (due - scheduler.now()), headers);
  }
}
