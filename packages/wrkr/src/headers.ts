import { describe } from './checks/describe.ts';
import { isPlain } from './checks/plain.ts';
import type { Headers, Ms } from './contract/contract.ts';
import { WrkrError } from './errors.ts';

/*
 * What travels beside the payload. Absent is the usual case: a plain event that was published without `when` and never failed
 * has no headers at all. Instants are in milliseconds since the epoch.
 */

/** Absent: `application/json`. */
export const TYPE = 'content-type';
/** Number of the attempt that comes next; absent: 1. */
export const ATTEMPT = 'wrkr-attempt';
/** The last errors, newest last: see `deliver/history.ts`. */
export const ERRORS = 'wrkr-errors';
export const PARENT = 'wrkr-parent';
/** Absent: the event's own id. */
export const CORRELATION = 'wrkr-correlation';
/** When the publisher wanted it, if not at once. */
export const WHEN = 'wrkr-when';
/** Not before this; given where a backend cannot wait that long in one piece. */
export const DUE = 'wrkr-due';
/** How long after it was due it is worth handling, in milliseconds; gone once a handler has begun with it. */
export const TTL = 'wrkr-ttl';
/** Of a row in `$retries`: the event's own id. */
export const EVENT = 'wrkr-event';
/** Of a row in `$retries`: the queue that it comes back to. */
export const QUEUE = 'wrkr-queue';
/** When it was first handed to a process that had no handler for it. */
export const UNHANDLED = 'wrkr-unhandled-since';
/** When it became a dead letter; why is the newest of its errors. */
export const DEAD_AT = 'wrkr-dead-at';

/** Shared by all events that need none. */
export const NO_HEADERS: Headers = Object.freeze({});

const USER_KEY = /^[a-z0-9][a-z0-9._-]{0,99}$/i;

/** The headers that a publisher gives: short text for programs on the way, such as a trace. */
export function checkHeaders(headers: unknown): asserts headers is Headers {
  if (!isPlain(headers)) throw invalid(`must be a plain object of strings, not ${describe(headers)}`);
  for (const [key, value] of Object.entries(headers)) {
    if (!USER_KEY.test(key))
      throw invalid(`have a key that is not letters, digits, '.', '_' or '-': ${JSON.stringify(key.slice(0, 40))}`);
    if (isOwn(key)) throw invalid(`have '${key}', which is kept for Wrkr's own`);
    if (typeof value !== 'string' || !value.isWellFormed()) throw invalid(`'${key}' must be a string, not ${describe(value)}`);
  }
}

/** For what core adds on an event's way, beside its errors: attempts, instants, where it goes. */
const OWN_BYTES = 512;

/** The part of `limits.headerBytes` that a published event may fill. */
export function publishRoom({ headerBytes }: { readonly headerBytes: number }): number {
  return headerBytes / 2;
}

/** The part that is left for its errors. */
export function historyRoom({ headerBytes }: { readonly headerBytes: number }): number {
  return headerBytes / 2 - OWN_BYTES;
}

/** What the publisher gave, as the handler sees it. */
export function userHeaders(headers: Headers): Headers {
  if (headers === NO_HEADERS) return NO_HEADERS;
  return Object.fromEntries(Object.entries(headers).filter(([key]) => !isOwn(key)));
}

function isOwn(key: string): boolean {
  const lower = key.toLowerCase();
  return lower === TYPE || lower.startsWith('wrkr-');
}

/** A copy with some set and, where the value is `undefined`, removed. */
export function withHeaders(headers: Headers, changes: Readonly<Record<string, string | undefined>>): Headers {
  const result: Record<string, string> = { ...headers };
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) delete result[key];
    else result[key] = value;
  }
  return result;
}

/** A number among the headers, or `otherwise` where it is absent or not one. */
export function numberIn<Otherwise>(headers: Headers, key: string, otherwise: Otherwise): number | Otherwise {
  const text = headers === NO_HEADERS ? undefined : headers[key];
  if (text === undefined) return otherwise;
  const value = Number(text);
  return text !== '' && Number.isFinite(value) ? value : otherwise;
}

/** Kept for events that must wait longer than the backend can: see {@link DUE}. */
export function dueOf(headers: Headers): Ms {
  return numberIn(headers, DUE, 0);
}

function invalid(why: string): WrkrError {
  return new WrkrError('WRKR_INVALID_EVENT', `headers ${why}`);
}
