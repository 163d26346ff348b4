import type { Ms, Outgoing } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { WrkrError } from '../errors.ts';
import { NO_HEADERS } from '../headers.ts';
import { addressed } from '../schedule/address.ts';
import { type IdOf, type Lineage, type Receipt, readEvent, type UntypedInput } from './event-input.ts';
import { Ids } from './ids.ts';
import type { Outbox } from './outbox.ts';
import { JointPublication, SinglePublication, Together } from './publication.ts';

/** From what a caller gives to what is stored: read, check, address, post, and answer with receipts. */
export class Publisher {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #delayed: Outbox;
  readonly #ids = new Ids();
  readonly #nextId: IdOf = (now) => this.#ids.next(now);

  /** `delayed` is the outbox to the scheduler. */
  constructor(core: Core, outbox: Outbox, delayed: Outbox) {
    this.#core = core;
    this.#outbox = outbox;
    this.#delayed = delayed;
  }

  /** The event as it is to be sent. Throws if it is not good, or nothing that this backend can do. */
  read(input: UntypedInput): Outgoing {
    return this.#ready(readEvent(input, this.#now(input), this.#nextId));
  }

  /** The same for an event that another one caused. */
  readFollowUp(input: UntypedInput, idOf: IdOf, lineage: Lineage): Outgoing {
    return this.#ready(readEvent(input, this.#now(input), idOf, lineage));
  }

  /** Resolves when it is stored. Rejects with what the backend said. */
  post(event: Outgoing): Promise<Receipt> {
    return new Promise((resolve) => this.#outboxOf(event).post(new SinglePublication(this.#core, event, resolve)));
  }

  /** Rejects with `WRKR_PUBLISH_PARTIAL` unless every one is stored. */
  postAll(events: readonly Outgoing[]): Promise<readonly Receipt[]> {
    if (events.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const together = new Together(events.length, resolve, reject);
      events.forEach((event, i) => {
        this.#outboxOf(event).post(new JointPublication(this.#core, event, together, i));
      });
    });
  }

  /** Where it has to wait, by the clock of those who let it wait. */
  #now(input: UntypedInput): Ms {
    const { backend, scheduler } = this.#core;
    return input?.when === undefined && input?.onceEvery === undefined ? backend.now() : scheduler.now();
  }

  #outboxOf({ at }: Outgoing): Outbox {
    return at === 0 ? this.#outbox : this.#delayed;
  }

  #ready(event: Outgoing): Outgoing {
    const { capabilities } = event.at === 0 ? this.#core.backend : this.#core.scheduler;
    checkSize(event, capabilities.limits);
    if (event.key !== undefined && !capabilities.dedupe)
      throw new WrkrError('WRKR_UNSUPPORTED', 'this backend cannot tell that an event is there already: publish without once', {
        applied: 'no',
      });
    return addressed(event, capabilities);
  }
}

function checkSize({ body, headers }: Outgoing, limits: { readonly bodyBytes: number; readonly headerBytes: number }): void {
  const size = body.byteLength;
  if (size > limits.bodyBytes) {
    throw new WrkrError('WRKR_TOO_LARGE', `payload has ${size} bytes, this backend takes ${limits.bodyBytes}`, { applied: 'no' });
  }
  if (headers === NO_HEADERS) return;
  let header = 0;
  for (const key in headers) header += Buffer.byteLength(key) + Buffer.byteLength(headers[key] as string);
  if (header > limits.headerBytes) {
    throw new WrkrError('WRKR_TOO_LARGE', `headers have ${header} bytes, this backend takes ${limits.headerBytes}`, {
      applied: 'no',
    });
  }
}
