import type { Ms } from '../contract/contract.ts';
import { spanOf } from './when.ts';

/** The wait before the next attempt, in milliseconds or words, after attempt number `failedAttempt` (from 1) ended with `error`. */
export type Backoff = (failedAttempt: number, error: unknown) => number | string;

const FIRST: Ms = 1000;
const LONGEST: Ms = 3_600_000;
/** A hundred years: what is longer would leave the calendar. */
const MOST: Ms = 100 * 365 * 86_400_000;

/**
 * Exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): evenly distributed between
 * 0 and 1 s, 2 s, 4 s … up to 1 h, so that what failed together does not come back together.
 */
export function exponential(failedAttempt: number, random: () => number = Math.random): Ms {
  return Math.ceil(random() * Math.min(LONGEST, FIRST * 2 ** (failedAttempt - 1)));
}

/** What the policy says, a hundred years at most, or the default and a report if it throws or says nonsense. */
export function waitAfter(backoff: Backoff, failedAttempt: number, error: unknown, report: (cause: unknown) => void): Ms {
  try {
    return Math.min(Math.ceil(spanOf(backoff(failedAttempt, error))), MOST);
  } catch (cause) {
    report(cause);
    return exponential(failedAttempt);
  }
}
