import type { Backend, Capabilities, Headers, Ms, Outgoing } from '../contract/contract.ts';
import { RELAY } from '../contract/words.ts';
import { WrkrError } from '../errors.ts';
import { DUE, dueOf, WHEN, withHeaders } from '../headers.ts';

/**
 * Where an event goes: to its subscribers, or first to wait until it is due. A row in `$relay` says by its own due time when that
 * is; elsewhere a header does.
 */
export function addressed(event: Outgoing, capabilities: Capabilities): Outgoing {
  if (event.at === 0) return event;
  const { delay } = capabilities;
  if (!delay) {
    throw new WrkrError('WRKR_UNSUPPORTED', 'this backend cannot delay events: give new Wrkr a scheduler that can', {
      applied: 'no',
    });
  }
  if (!delay.fanOut) {
    return { ...event, to: { queue: RELAY }, ...waiting(event.headers, event.at, event.sentAt, delay.maxMs) };
  }
  if (event.at - event.sentAt > delay.maxMs) {
    throw new WrkrError('WRKR_INVALID_WHEN', `when: this backend can wait ${delay.maxMs} ms at most`, { applied: 'no' });
  }
  return { ...event, headers: withHeaders(event.headers, { [WHEN]: String(event.at) }) };
}

/** The headers of a row of `$relay` as its subscribers get them. */
export function relayed({ at, headers }: { readonly at: Ms; readonly headers: Headers }): Headers {
  return headers[WHEN] === undefined ? withHeaders(headers, { [WHEN]: String(dueOf(headers) || at), [DUE]: undefined }) : headers;
}

/** Until when it can wait in one piece, and the headers that say so if that is not long enough. */
export function waiting(headers: Headers, at: Ms, now: Ms, maxMs: Ms): { readonly at: Ms; readonly headers: Headers } {
  if (at - now <= maxMs)
    return { at, headers: headers[DUE] === undefined ? headers : withHeaders(headers, { [DUE]: undefined }) };
  return { at: now + maxMs, headers: withHeaders(headers, { [DUE]: String(at) }) };
}

/** The same for a delivery that is to wait (again) in its queue. */
export function waitingOn(backend: Backend, headers: Headers, at: Ms): { readonly at: Ms; readonly headers: Headers } {
  const { delay } = backend.capabilities;
  return waiting(headers, at, backend.now(), delay ? delay.maxMs : Number.POSITIVE_INFINITY);
}
