import type { BackendError, Headers, Ms, Outgoing } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { fromBackend, WrkrError } from '../errors.ts';
import { NO_HEADERS } from '../headers.ts';
import { addressed } from '../schedule/address.ts';
import { type IdOf, type Lineage, publishedOf, type Receipt, readEvent, receiptOf, type UntypedInput } from './event-input.ts';
import { Ids } from './ids.ts';
import type { Letter, Outbox } from './outbox.ts';

/** From what a caller gives to what is stored: read, check, address, post, and answer with receipts. */
export class Publisher {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #ids = new Ids();
  readonly #nextId: IdOf = (now) => this.#ids.next(now);

  constructor(core: Core, outbox: Outbox) {
    this.#core = core;
    this.#outbox = outbox;
  }

  /** The event as it is to be sent. Throws if it is not good, or nothing that this backend can do. */
  read(input: UntypedInput): Outgoing {
    return this.#ready(readEvent(input, this.#core.backend.now(), this.#nextId));
  }

  /** The same for an event that another one caused. */
  readFollowUp(input: UntypedInput, idOf: IdOf, lineage: Lineage): Outgoing {
    return this.#ready(readEvent(input, this.#core.backend.now(), idOf, lineage));
  }

  /** Resolves when it is stored. Rejects with what the backend said. */
  post(event: Outgoing): Promise<Receipt> {
    return new Promise((resolve) => this.#outbox.post(new Publish(this.#core, event, resolve)));
  }

  /** Rejects with `WRKR_PUBLISH_PARTIAL` unless every one is stored. */
  async postAll(events: readonly Outgoing[]): Promise<readonly Receipt[]> {
    const settled = await Promise.allSettled(events.map((event) => this.post(event)));
    const results = settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as WrkrError)));
    const errors = results.filter((one) => one instanceof WrkrError);
    if (errors.length === 0) return results as Receipt[];
    const message = `${errors.length} of ${events.length} events were not published: see results, in the order of the events`;
    const applied = errors.length === results.length && errors.every((error) => error.applied === 'no') ? 'no' : 'maybe';
    throw new WrkrError('WRKR_PUBLISH_PARTIAL', message, { results, applied });
  }

  #ready(event: Outgoing): Outgoing {
    const { capabilities } = this.#core.backend;
    checkSize(event, capabilities.limits);
    return addressed(event, capabilities);
  }
}

class Publish implements Letter {
  readonly to: Outgoing['to'];
  readonly id: string;
  readonly name: string;
  readonly tid?: string;
  readonly sentAt: Ms;
  readonly at: Ms;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly #core: Core;
  readonly #resolve: (receipt: Receipt | Promise<never>) => void;

  constructor(core: Core, event: Outgoing, resolve: (receipt: Receipt | Promise<never>) => void) {
    this.to = event.to;
    this.id = event.id;
    this.name = event.name;
    if (event.tid !== undefined) this.tid = event.tid;
    this.sentAt = event.sentAt;
    this.at = event.at;
    this.headers = event.headers;
    this.body = event.body;
    this.#core = core;
    this.#resolve = resolve;
  }

  get patienceMs(): Ms {
    return this.#core.settings.publishTimeoutMs;
  }

  stored(instead: string | undefined): void {
    if (instead === undefined && this.#core.listens('published')) this.#core.emit('published', publishedOf(this));
    this.#resolve(instead === undefined ? receiptOf(this) : { ...receiptOf(this), id: instead, stored: false });
  }

  failed(error: BackendError, applied: 'no' | 'maybe'): void {
    this.#resolve(Promise.reject(fromBackend(error, `'${this.name}' was not published`, applied)));
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
