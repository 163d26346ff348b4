import humanInterval from 'human-interval';
import { describe } from '../checks/describe.ts';
import type { Ms } from '../contract/contract.ts';
import { WrkrError } from '../errors.ts';

/**
 * When something is to happen: an interval in words ('7 days', '1 hour and 30 minutes'), a span in milliseconds, a `Date`, or an
 * ISO 8601 date-time with offset. A month has 30 days, a year 365. What has passed means now.
 */
export type When = string | number | Date;

/** The latest instant that a `Date` can hold. */
const LATEST: Ms = 8.64e15;

/** A number above this is an instant that was meant as a `Date`: it was passed in 2001, and as a span it is 31 years. */
const LONGEST_NUMBER: Ms = 1e12;

/** The instant that `when` names, seen from `now`. Throws `WRKR_INVALID_WHEN`. */
export function instantOf(when: When, now: Ms): Ms {
  const at = when instanceof Date ? timeOf(when) : typeof when === 'string' && isoLike(when) ? isoOf(when) : now + spanOf(when);
  if (at > LATEST) throw invalid(when, 'is beyond the year 275760');
  return Math.ceil(at);
}

/** The span that an interval names. Throws `WRKR_INVALID_WHEN`. */
export function spanOf(interval: unknown): Ms {
  if (typeof interval === 'number') return numberOf(interval);
  if (typeof interval === 'string') return wordsOf(interval);
  throw invalid(interval, "must be an interval such as '7 days', milliseconds, a Date or an ISO date-time");
}

function numberOf(ms: number): Ms {
  if (!Number.isFinite(ms) || ms < 0) throw invalid(ms, 'must be a number of milliseconds from 0');
  if (ms > LONGEST_NUMBER) throw invalid(ms, 'is a span of more than 31 years: did you mean a Date?');
  return ms;
}

function timeOf(date: Date): Ms {
  const time = date.getTime();
  if (Number.isNaN(time)) throw new WrkrError('WRKR_INVALID_WHEN', 'when: this Date is invalid; check how it was made');
  return time;
}

const either = (words: string): string => words.replaceAll(' ', '|');
const SMALL = either('one two three four five six seven eight nine');
const TEENS = either('ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen');
const TENS = either('twenty thirty forty fifty sixty seventy eighty ninety');
const NUMBER = String.raw`\d+(?:\.\d+)?|\.\d+|zero|${TEENS}|(?:${TENS})(?:-(?:${SMALL}))?|${SMALL}`;
const PIECE = new RegExp(String.raw`(?:${NUMBER})\s*(?:second|minute|hour|day|week|month|year)s?(?![\w-])`, 'y');
const JOINT = /\s*,\s*(?:and\s+)?|\s+(?:and\s+)?/y;

/**
 * `human-interval` reads the words, but only those that it reads right: by itself it takes 'in 5 minutes' for 0, '250 milliseconds'
 * for 250 seconds and '10 min' for NaN. So each piece must be a number and a unit, joined by blanks, commas or 'and'.
 */
function wordsOf(text: string): Ms {
  const words = text.trim().toLowerCase();
  for (let at = 0; ; ) {
    const end = endOf(PIECE, words, at);
    if (end < 0) throw unclear(words.slice(at), text);
    if (end === words.length) break;
    at = endOf(JOINT, words, end);
    if (at < 0) throw unclear(words.slice(end), text);
  }
  const ms = humanInterval(words) as number;
  if (!Number.isFinite(ms)) throw invalid(text, 'is longer than any span');
  return ms;
}

/** Where the match ends that begins at `from`; -1 without one. */
function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

function unclear(rest: string, text: string): WrkrError {
  const piece = rest.split(/,|\sand\s/)[0]?.trim();
  return invalid(text, `is unclear at '${piece}': write a number and seconds, minutes, hours, days, weeks, months or years`);
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)$/i;

function isoLike(text: string): boolean {
  return /^\s*[+-]?\d{4,}-\d/.test(text);
}

function isoOf(text: string): Ms {
  const match = ISO.exec(text.trim());
  if (!match) throw invalid(text, "is no ISO date-time with offset, such as '2030-01-31T09:00:00Z' or '2030-01-31T09:00+01:00'");
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as SixNumbers;
  const fraction = Number(`0.${match[7] ?? 0}`) * 1000;
  const local = new Date(0).setUTCFullYear(year, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000;
  const read = new Date(local);
  const real = read.getUTCMonth() === month - 1 && read.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!real) throw invalid(text, 'is no date in the calendar');
  return local + fraction - offsetOf(match[8] as string, text);
}

type SixNumbers = [number, number, number, number, number, number];

function offsetOf(offset: string, text: string): Ms {
  if (offset.toUpperCase() === 'Z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(-2));
  if (hours > 23 || minutes > 59) throw invalid(text, `has the unclear offset '${offset}'`);
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function invalid(when: unknown, why: string): WrkrError {
  const shown = typeof when === 'string' ? `'${when.slice(0, 80)}'` : describe(when);
  return new WrkrError('WRKR_INVALID_WHEN', `when: ${shown} ${why}`);
}
