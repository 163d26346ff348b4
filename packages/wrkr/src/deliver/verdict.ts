import type { Delivery, Headers, Ms } from '../contract/contract.ts';
import { deadQueueOf } from '../contract/words.ts';
import type { Core } from '../core.ts';
import { fromBackend, messageOf, WrkrError } from '../errors.ts';
import { ATTEMPT, DEAD_AT, ERRORS, historyRoom, TTL, UNHANDLED, withHeaders } from '../headers.ts';
import type { RetryPolicy } from '../subscribe/options.ts';
import type { Attempted } from '../telling/events.ts';
import { waitAfter } from '../time/backoff.ts';
import { instantOf, type When } from '../time/when.ts';
import { attemptOf } from './delivered-event.ts';
import { withError } from './history.ts';
import type { Move } from './intake.ts';

/** What a failed attempt leads to: another one, later, or a dead letter. `when`: as the handler asked for it. */
export function afterFailure(core: Core, delivery: Delivery, policy: RetryPolicy, error: unknown, when?: When): Move {
  const attempt = attemptOf(delivery.headers);
  if (attempt >= policy.attempts) return deadLetter(core, delivery, error, attempt);
  const now = core.backend.now();
  const at = instantOr(core, when, now) ?? now + waitAfter(policy.backoff, attempt, error, (cause) => reportBackoff(core, cause));
  const headers = withHeaders(delivery.headers, {
    [ATTEMPT]: String(attempt + 1),
    [ERRORS]: withError(delivery.headers, error, attempt, now, roomFor(core)),
    [UNHANDLED]: undefined,
    [TTL]: undefined,
  });
  core.emit('retry', attempted(delivery, attempt), error, new Date(at));
  return { queue: delivery.queue, at, headers };
}

/** The instant that a handler named; nothing, and a report, if it cannot be read. */
export function instantOr(core: Core, when: When | undefined, now: Ms): Ms | undefined {
  if (when === undefined) return undefined;
  try {
    return instantOf(when, now);
  } catch (error) {
    core.report(error instanceof WrkrError ? error : fromBackend(error, 'when'));
    return undefined;
  }
}

/** Parked with its errors until someone redrives or discards it. `attempts`: runs that were made. */
export function deadLetter(core: Core, delivery: Delivery, error: unknown, attempts: number): Move {
  const now = core.backend.now();
  const headers = withHeaders(delivery.headers, {
    [ATTEMPT]: String(attempts),
    [ERRORS]: withError(delivery.headers, error, attempts, now, roomFor(core)),
    [DEAD_AT]: String(now),
    [TTL]: undefined,
  });
  core.emit('dead', attempted(delivery, attempts), error);
  return { queue: deadQueueOf(delivery.queue), at: now, headers };
}

/** What a redriven dead letter leaves behind: everything but its history. */
export const REVIVED: Headers = { [ATTEMPT]: '', [DEAD_AT]: '', [UNHANDLED]: '' };

/** The same, of headers that are replaced as a whole. */
export function revived(headers: Headers): Headers {
  return withHeaders(headers, { [ATTEMPT]: undefined, [DEAD_AT]: undefined, [UNHANDLED]: undefined });
}

function attempted({ id, name, tid, queue }: Delivery, attempt: number): Attempted {
  return { id, name, tid, queue, attempt };
}

function reportBackoff(core: Core, cause: unknown): void {
  const message = `retry.backoff: ${messageOf(cause)}; the default is used`;
  core.report(new WrkrError('WRKR_INVALID_OPTION', message, { cause }));
}

/** For the history. */
function roomFor(core: Core): number {
  return historyRoom(core.backend.capabilities.limits);
}
