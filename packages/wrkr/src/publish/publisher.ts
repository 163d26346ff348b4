import type { Ms, Outgoing } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import type { DeliveredEvent } from '../deliver/delivered-event.ts';
import { WrkrError } from '../errors.ts';
import { NO_HEADERS, publishRoom } from '../headers.ts';
import { transformed } from '../middleware/middleware.ts';
import { addressed } from '../schedule/address.ts';
import { publishing, traced } from '../telling/diagnostics.ts';
import { type IdOf, type Lineage, type Receipt, readEvent, type UntypedInput } from './event-input.ts';
import { Ids } from './ids.ts';
import type { Outbox } from './outbox.ts';
import { JointPublication, SinglePublication, Together } from './publication.ts';
import { sendInSession } from './session.ts';

/** From what a caller gives to what is stored: transform, read, check, address, post, and answer with receipts. */
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

  /** Resolves when it is stored. Throws or rejects. */
  publish(input: UntypedInput, session?: object): Promise<Receipt> {
    if (!publishing.hasSubscribers) return this.#publish(input, session);
    const event = traced(input);
    const message = { bus: this.#core.settings.name, events: [event] };
    return publishing.tracePromise(() => this.#publish(event, session), message);
  }

  /** All are read before the first is sent. Rejects with `WRKR_PUBLISH_PARTIAL` unless every one is stored. */
  publishAll(inputs: readonly UntypedInput[], session?: object): Promise<readonly Receipt[]> {
    if (!publishing.hasSubscribers) return this.#publishAll(inputs, session);
    const events = Array.from(inputs, traced);
    const message = { bus: this.#core.settings.name, events };
    return publishing.tracePromise(() => this.#publishAll(events, session), message);
  }

  /** An event that another one caused, as it is to be sent when that is acked; and when its payload is known to be good, if not yet. */
  readFollowUp(input: UntypedInput, parent: DeliveredEvent, idOf: IdOf): FollowUp {
    const lineage = { parentId: parent.id, correlationId: parent.correlationId };
    if (!publishing.hasSubscribers) return this.#read(input, idOf, lineage);
    const event = traced(input);
    const message = { bus: this.#core.settings.name, events: [event], parent };
    return publishing.traceSync(() => this.#read(event, idOf, lineage), message);
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

  #publish(input: UntypedInput, session: object | undefined): Promise<Receipt> {
    const { event, valid } = this.#read(input, this.#nextId);
    if (session !== undefined) return this.#inSession([event], [valid], session).then(([receipt]) => receipt as Receipt);
    return valid === undefined ? this.#post(event) : valid.then(() => this.#post(event));
  }

  #publishAll(inputs: readonly UntypedInput[], session: object | undefined): Promise<readonly Receipt[]> {
    const read = Array.from(inputs, (input, i) => this.#readOf(input, i));
    const events = read.map(({ event }) => event);
    const checks = read.map(({ valid }) => valid);
    if (session !== undefined) return this.#inSession(events, checks, session);
    return checks.some(Boolean) ? Promise.all(checks).then(() => this.postAll(events)) : this.postAll(events);
  }

  async #inSession(events: readonly Outgoing[], checks: readonly Check[], session: object): Promise<readonly Receipt[]> {
    await Promise.all(checks);
    return sendInSession(this.#core, events, session);
  }

  #post(event: Outgoing): Promise<Receipt> {
    return new Promise((resolve) => this.#outboxOf(event).post(new SinglePublication(this.#core, event, resolve)));
  }

  /** One of several, holes too: its error says which. */
  #readOf(input: UntypedInput, index: number): FollowUp {
    const complain = (error: unknown): never => {
      if (error instanceof WrkrError) error.message = `events[${index}]: ${error.message}`;
      throw error;
    };
    try {
      const { event, valid } = this.#read(input, this.#nextId);
      if (valid === undefined) return { event };
      const checked = valid.catch(complain);
      checked.catch(() => {}); // as above: another may be refused at once
      return { event, valid: checked };
    } catch (error) {
      return complain(error);
    }
  }

  /** Throws if it is not good, or nothing that this backend can do. */
  #read(given: UntypedInput, idOf: IdOf, lineage?: Lineage): FollowUp {
    const { catalogue, middleware } = this.#core;
    const input = middleware.publish.length === 0 ? given : transformed(middleware.publish, given);
    const event = this.#ready(readEvent(input, this.#now(input), idOf, lineage));
    if (!catalogue) return { event };
    catalogue.checkName(event.name);
    const output = catalogue.validate(event.name, input.payload);
    if (!(output instanceof Promise)) return { event };
    this.#core.activity.begin(); // stop() and a virtual clock wait for it
    // Whoever waits for it is told what it rejects with; nobody does if another event of the same call is refused at once.
    void output.catch(() => {}).then(() => this.#core.activity.end());
    return { event, valid: output };
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
    if (event.key !== undefined && !capabilities.dedupe) {
      const message = 'this backend cannot tell that an event is there already: publish without once';
      throw new WrkrError('WRKR_UNSUPPORTED', message, { applied: 'no' });
    }
    return addressed(event, capabilities);
  }
}

/** Of a payload whose validator takes its time; rejects if it is not good. */
type Check = Promise<unknown> | undefined;

export interface FollowUp {
  readonly event: Outgoing;
  readonly valid?: Check;
}

function checkSize({ body, headers }: Outgoing, limits: { readonly bodyBytes: number; readonly headerBytes: number }): void {
  const size = body.byteLength;
  if (size > limits.bodyBytes) {
    throw new WrkrError('WRKR_TOO_LARGE', `payload has ${size} bytes, this backend takes ${limits.bodyBytes}`, { applied: 'no' });
  }
  if (headers === NO_HEADERS) return;
  let header = 0;
  for (const key in headers) header += Buffer.byteLength(key) + Buffer.byteLength(headers[key] as string);
  const room = publishRoom(limits);
  if (header > room)
    throw new WrkrError('WRKR_TOO_LARGE', `headers have ${header} bytes, this backend takes ${room}`, { applied: 'no' });
}
