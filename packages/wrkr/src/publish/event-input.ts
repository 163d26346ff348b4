import { describe } from '../checks/describe.ts';
import { checkKeys } from '../checks/keys.ts';
import type { Deduplicated, Headers, Ms, Outgoing } from '../contract/contract.ts';
import { WrkrError } from '../errors.ts';
import { CORRELATION, checkHeaders, dueOf, NO_HEADERS, PARENT, TTL, TYPE, userHeaders } from '../headers.ts';
import { instantOf, spanOf, type When } from '../time/when.ts';
import { decode, encode, PLAIN } from './codec.ts';
import { keyOf } from './ids.ts';
import { addressOf, checkKey } from './names.ts';

/** What a publisher can say of an event beside its name and payload. */
export interface EventFields {
  /** The id of the thing that the event is about. */
  readonly tid?: string | undefined;
  /** Now, if it is not given or has passed. */
  readonly when?: When | undefined;
  /** A UUIDv7, if it is not given. Giving the same one again is how a publish is repeated safely. */
  readonly id?: string | undefined;
  readonly headers?: Headers | undefined;
  /**
   * How long after it was due it is still worth handling, in words or milliseconds: older, it is dropped when it is handed out, and
   * `expired` is emitted. It does not run out while the event is in retry. @default without end
   */
  readonly ttl?: string | number | undefined;
  /** Sends now, but stores nothing in a queue where an event of this name and tid that was published so waits or is handled. */
  readonly once?: boolean | undefined;
  /**
   * Sends after this time, once for all that are published until then with this name and tid: many changes, one event, none
   * unseen. Words or milliseconds.
   */
  readonly onceEvery?: string | number | undefined;
}

/**
 * What a publisher gives, of whatever name. It is read before the call returns: later changes to it have no effect. The payload
 * is JSON values, Date, Uint8Array (a Buffer arrives as one) and bigint.
 */
export interface UntypedInput extends EventFields {
  readonly name: string;
  readonly payload?: unknown;
}

/** What a publisher gets: keep it to cancel the event while it waits. */
export interface Receipt {
  readonly id: string;
  /** When it is due; when it was published, if at once. */
  readonly when: Date;
  /** False if it was published with `once` or `onceEvery` and another stands for it: the receipt is that one's. */
  readonly stored: boolean;
}

/** Gives an event the id that its publisher did not give. */
export type IdOf = (now: Ms, name: string, tid: string | undefined) => string;

/** Where a follow-up comes from. */
export interface Lineage {
  readonly parentId: string;
  readonly correlationId: string;
}

const KEYS: ReadonlySet<string> = new Set(['name', 'tid', 'payload', 'when', 'id', 'headers', 'ttl', 'once', 'onceEvery']);

/** Reads an event as its subscribers are to get it: `at` is when, 0 for now. Throws `WRKR_INVALID_…`. */
export function readEvent(input: UntypedInput, now: Ms, idOf: IdOf, lineage?: Lineage): Outgoing {
  checkEvent(input);
  checkKeys(input, KEYS, 'WRKR_INVALID_EVENT', 'an event');
  const { name, tid, when } = input;
  const to = addressOf(name);
  if (tid !== undefined) checkKey('tid', tid);
  if (input.id !== undefined) checkKey('id', input.id);
  const unique = input.once !== undefined || input.onceEvery !== undefined;
  const wanted = unique ? checkUnique(input) : when;
  const due = wanted === undefined ? 0 : instantOf(wanted, now);
  const at = due > now ? due : 0;
  const { type, body } = encode(input.payload);
  const headers = headersOf(input, type, lineage);
  const id = input.id ?? idOf(now, name, tid);
  if (tid === undefined) return { to, id, name, sentAt: now, at, headers, body };
  const event = { to, id, name, tid, sentAt: now, at, headers, body };
  return unique && (input.once || at > 0) ? { ...event, key: keyOf(name, tid) } : event;
}

/** Whether it could be one at all. */
export function isEvent(input: unknown): input is UntypedInput {
  return typeof input === 'object' && input !== null;
}

/** Throws `WRKR_INVALID_EVENT`. */
export function checkEvent(input: unknown): asserts input is UntypedInput {
  if (!isEvent(input)) throw invalid(`an event is an object with a name, not ${describe(input)}`);
}

/** What `once` and `onceEvery` need, and do not go with. Returns when it is to be sent. */
function checkUnique({ tid, when, once, onceEvery }: UntypedInput): When | undefined {
  if (once !== undefined && typeof once !== 'boolean') throw invalid(`once must be true or false, not ${describe(once)}`);
  if (onceEvery !== undefined && (once || when !== undefined))
    throw invalid(`onceEvery says when: it goes with neither once nor when`);
  if (once && when !== undefined) throw invalid('once sends now: it does not go with when; use onceEvery to gather');
  if (tid === undefined && (once || onceEvery !== undefined))
    throw invalid('once and onceEvery need a tid: what is it that should come once?');
  if (onceEvery === undefined) return when;
  if (spanOf(onceEvery) === 0) throw invalid('onceEvery must be longer than 0');
  return onceEvery;
}

function headersOf(input: UntypedInput, type: string, lineage: Lineage | undefined): Headers {
  const { headers: given, ttl } = input;
  if (given === undefined && ttl === undefined && type === PLAIN && lineage === undefined) return NO_HEADERS;
  if (given !== undefined) checkHeaders(given);
  const headers: Record<string, string> = { ...given };
  if (ttl !== undefined) headers[TTL] = String(ttlOf(ttl));
  if (type !== PLAIN) headers[TYPE] = type;
  if (lineage) {
    headers[PARENT] = lineage.parentId;
    headers[CORRELATION] = lineage.correlationId;
  }
  return headers;
}

function ttlOf(ttl: string | number): Ms {
  const ms = spanOf(ttl);
  if (ms === 0) throw invalid('ttl must be longer than 0');
  return ms;
}

function invalid(why: string): WrkrError {
  return new WrkrError('WRKR_INVALID_EVENT', why);
}

export function receiptOf(event: Outgoing): Receipt {
  return { id: event.id, when: new Date(whenOf(event)), stored: true };
}

/** The receipt of whichever is stored. */
export function insteadOf(event: Outgoing, there: Deduplicated | undefined): Receipt {
  return there ? { id: there.id, when: new Date(there.at), stored: false } : receiptOf(event);
}

function whenOf({ headers, at, sentAt }: Outgoing): Ms {
  return dueOf(headers) || at || sentAt;
}

/** An event as it was published, for listeners of `published`. */
export interface PublishedEvent {
  readonly id: string;
  readonly name: string;
  readonly tid: string | undefined;
  readonly payload: unknown;
  readonly when: Date;
  readonly publishedAt: Date;
  readonly parentId: string | undefined;
  readonly correlationId: string;
  readonly headers: Headers;
}

export function publishedOf(event: Outgoing): PublishedEvent {
  const { id, name, tid, sentAt, headers, body } = event;
  return {
    id,
    name,
    tid,
    payload: decode(body, headers[TYPE]),
    when: new Date(whenOf(event)),
    publishedAt: new Date(sentAt),
    parentId: headers[PARENT],
    correlationId: headers[CORRELATION] ?? id,
    headers: userHeaders(headers),
  };
}
