import { describe } from '../checks/describe.ts';
import { DEAD } from '../contract/words.ts';
import { WrkrError } from '../errors.ts';

/** In bytes of UTF-8: what the strictest protocol leaves for a name beside its own words. */
export const NAME_BYTES = 200;

/** Blanks, control characters, and those that cannot be seen, such as a zero-width space. */
const BLANK_OR_CONTROL = /[\s\p{Cc}\p{Cf}]/u;
const CONTROL = /\p{Cc}/u;

/**
 * The address of an event's subscribers. Names are dot-separated words, compared byte for byte, without wildcards. A program uses
 * few of them, again and again: what was checked once is remembered.
 */
export function addressOf(name: string): { readonly event: string } {
  const known = addresses.get(name);
  if (known) return known;
  checkWords(name, 'event name');
  if (/[*#]/.test(name)) throw invalid('event name', name, 'has a wildcard; those are for subscriptions');
  if (addresses.size >= MOST_KNOWN) addresses.clear();
  const address = { event: name };
  addresses.set(name, address);
  return address;
}

const addresses = new Map<string, { readonly event: string }>();
const MOST_KNOWN = 10_000;

/** A name of an event, or a pattern in which `*` is one word and `#` is zero or more. */
export function checkPattern(pattern: unknown): asserts pattern is string {
  checkWords(pattern, 'pattern');
  const odd = pattern.split('.').find((word) => word.length > 1 && /[*#]/.test(word));
  if (odd)
    throw invalid('pattern', pattern, `has a wildcard inside the word '${odd}'; it stands for whole words, as in 'user.*'`);
}

export function checkQueue(queue: unknown): asserts queue is string {
  checkWords(queue, 'queue name');
  if (/[*#]/.test(queue)) throw invalid('queue name', queue, 'has a wildcard; a queue is named in full');
  if (queue.endsWith(DEAD)) throw invalid('queue name', queue, `ends in '${DEAD}', which is kept for dead letters`);
}

/** An id or a tid: a string of any characters but controls. */
export function checkKey(what: 'id' | 'tid', value: unknown): asserts value is string {
  if (typeof value !== 'string') throw invalid(what, value, `must be a string: use String(…)`);
  if (value === '') throw invalid(what, value, 'must not be empty');
  if (CONTROL.test(value)) throw invalid(what, value, 'has a control character');
  checkText(value, what);
}

function checkWords(value: unknown, what: string): asserts value is string {
  if (typeof value !== 'string') throw invalid(what, value, 'must be a string');
  if (value === '') throw invalid(what, value, 'must not be empty');
  if (value.startsWith('$')) throw invalid(what, value, "begins with '$', which is kept for Wrkr's own");
  if (BLANK_OR_CONTROL.test(value)) throw invalid(what, value, 'has a blank, a control character or one that cannot be seen');
  if (value.split('.').includes('')) throw invalid(what, value, 'has an empty word: words are separated by single dots');
  checkText(value, what);
}

function checkText(value: string, what: string): void {
  if (value.length > NAME_BYTES / 3 && Buffer.byteLength(value) > NAME_BYTES)
    throw invalid(what, value, `is longer than ${NAME_BYTES} bytes`);
  if (!value.isWellFormed()) throw invalid(what, value, 'has half of a surrogate pair');
}

function invalid(what: string, value: unknown, why: string): WrkrError {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : describe(value);
  return new WrkrError('WRKR_INVALID_NAME', `${what} ${shown} ${why}`);
}
