import { describe } from '../checks/describe.ts';
import { checkKeys } from '../checks/keys.ts';
import type { Ms } from '../contract/contract.ts';
import { messageOf, WrkrError } from '../errors.ts';
import { type Backoff, exponential } from '../time/backoff.ts';
import { spanOf } from '../time/when.ts';

export interface RetryOptions {
  /** Runs in all, the first included; then the event is a dead letter. @default 10 */
  readonly attempts?: number;
  /** @default exponential with full jitter, from 1 second to 1 hour */
  readonly backoff?: Backoff;
}

export interface SubscriptionOptions {
  /** Handlers that run at once in this process, for the whole queue. @default 10 */
  readonly concurrency?: number;
  readonly retry?: RetryOptions;
  /** How long a handler may take until it is aborted and the event tried again; words or milliseconds. @default '15 minutes' */
  readonly timeout?: string | number;
  /** `manual`: returning does not settle the event, only `ack` does, also later. @default 'auto' */
  readonly ack?: 'auto' | 'manual';
}

export interface RetryPolicy {
  readonly attempts: number;
  readonly backoff: Backoff;
}

/** The same, complete. `concurrency` is missing where it was not given: another subscription of the queue may say it. */
export interface HandlerSettings {
  readonly concurrency: number | undefined;
  readonly retry: RetryPolicy;
  readonly timeoutMs: Ms;
  readonly manual: boolean;
}

export const CONCURRENCY = 10;
const ATTEMPTS = 10;
const TIMEOUT: Ms = 15 * 60_000;

export const DEFAULT_RETRY: RetryPolicy = { attempts: ATTEMPTS, backoff: (attempt) => exponential(attempt) };

const KEYS: ReadonlySet<string> = new Set(['concurrency', 'retry', 'timeout', 'ack']);
const RETRY_KEYS: ReadonlySet<string> = new Set(['attempts', 'backoff']);

export function readSubscriptionOptions(options: SubscriptionOptions, defaults: RetryPolicy): HandlerSettings {
  checkObject(options, 'subscription options');
  checkKeys(options, KEYS, 'WRKR_INVALID_OPTION', 'a subscription');
  const { concurrency, timeout, ack = 'auto' } = options;
  if (concurrency !== undefined) checkCount(concurrency, 'concurrency');
  if (ack !== 'auto' && ack !== 'manual') throw invalid(`ack must be 'auto' or 'manual', not ${describe(ack)}`);
  return {
    concurrency,
    retry: readRetry(options.retry, defaults),
    timeoutMs: timeout === undefined ? TIMEOUT : readSpan(timeout, 'timeout'),
    manual: ack === 'manual',
  };
}

export function readRetry(options: RetryOptions | undefined, defaults: RetryPolicy): RetryPolicy {
  if (options === undefined) return defaults;
  checkObject(options, 'retry');
  checkKeys(options, RETRY_KEYS, 'WRKR_INVALID_OPTION', 'retry');
  const { attempts = defaults.attempts, backoff = defaults.backoff } = options;
  checkCount(attempts, 'retry.attempts');
  if (typeof backoff !== 'function') throw invalid(`retry.backoff must be a function, not ${describe(backoff)}`);
  return { attempts, backoff };
}

/** A span above 0. */
export function readSpan(value: unknown, what: string): Ms {
  try {
    const ms = spanOf(value);
    if (ms > 0) return ms;
  } catch (cause) {
    throw new WrkrError('WRKR_INVALID_OPTION', `${what} is no span of time: ${messageOf(cause)}`, { cause });
  }
  throw invalid(`${what} must be longer than 0`);
}

export function checkObject(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${what} must be an object, not ${describe(value)}`);
}

function checkCount(value: unknown, what: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw invalid(`${what} must be a whole number from 1, not ${describe(value)}`);
}

function invalid(message: string): WrkrError {
  return new WrkrError('WRKR_INVALID_OPTION', message);
}
