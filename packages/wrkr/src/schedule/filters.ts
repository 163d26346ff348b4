import { describe } from '../checks/describe.ts';
import { checkKeys } from '../checks/keys.ts';
import { isPlain } from '../checks/plain.ts';
import type { Capabilities, Filter, FilterKey, Ms } from '../contract/contract.ts';
import { WrkrError } from '../errors.ts';
import { addressOf, checkQueue } from '../publish/names.ts';

/** What waits: all given keys must match. A receipt is a filter. Without `queue` only what is not yet due. */
export interface EventFilter {
  readonly id?: string;
  readonly name?: string;
  readonly tid?: string;
  readonly queue?: string;
  /** As in a receipt: helps backends that do not find an event by its id alone; others ignore it. */
  readonly when?: Date;
  /** As in a receipt; ignored. */
  readonly stored?: boolean;
}

export interface Paging {
  /** The most items of one page. @default 100 */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface Limited {
  /** The most to take; which ones is the backend's choice. @default all that match */
  readonly limit?: number;
}

const FILTER_KEYS: ReadonlySet<string> = new Set(['id', 'name', 'tid', 'queue', 'when', 'stored']);
const LIMITED_KEYS: ReadonlySet<string> = new Set([...FILTER_KEYS, 'limit']);
const LIST_KEYS: ReadonlySet<string> = new Set([...FILTER_KEYS, 'limit', 'after']);
const MATCHING: readonly FilterKey[] = ['id', 'name', 'tid', 'queue'];

/** For calls that change something: refuses a filter that would match everything, and our own queues. */
export function readFilter(given: EventFilter): Filter {
  return ofUsers(notEmpty(readKeys(given, FILTER_KEYS)));
}

/** The same of dead letters, our own too, with a limit: `Infinity` if there is none. */
export function readLimited(given: EventFilter & Limited): { readonly filter: Filter; readonly limit: number } {
  const filter = notEmpty(readKeys(given, LIMITED_KEYS));
  return { filter, limit: readLimit(given.limit, Number.POSITIVE_INFINITY) };
}

/** For lists, which may be of everything. */
export function readEventList(list: EventFilter & Paging): ReturnType<typeof readList> {
  const read = readList(list);
  ofUsers(read.filter);
  return read;
}

/** The same of dead letters, our own too. */
export function readList(list: EventFilter & Paging): {
  readonly filter: Filter;
  readonly limit: number;
  readonly after?: string;
} {
  const filter = readKeys(list, LIST_KEYS);
  const limit = readLimit(list.limit, 100);
  const { after } = list;
  if (after !== undefined && typeof after !== 'string')
    throw invalid(`has the 'after' ${describe(after)}: give 'next' of the page before`);
  return after === undefined ? { filter, limit } : { filter, limit, after };
}

/** Refuses keys that this backend cannot look for. */
export function checkAddressable(filter: Filter, capabilities: Capabilities): void {
  const missing = MATCHING.filter((key) => filter[key] !== undefined && !capabilities.filter.includes(key));
  if (missing.length > 0) throw unsupported(`look for events by ${missing.join(', ')}`);
}

export function unsupported(what: string): WrkrError {
  return new WrkrError('WRKR_UNSUPPORTED', `this backend cannot ${what}: see wrkr.capabilities, and the option scheduler`);
}

function ofUsers(filter: Filter): Filter {
  if (filter.queue !== undefined) checkQueue(filter.queue);
  return filter;
}

function notEmpty(filter: Filter): Filter {
  if (MATCHING.some((key) => filter[key] !== undefined)) return filter;
  throw invalid(`needs one of ${MATCHING.join(', ')}: an empty one would match everything`);
}

function readLimit(limit: number | undefined, otherwise: number): number {
  if (limit === undefined) return otherwise;
  if (!Number.isSafeInteger(limit) || limit < 1) throw invalid(`has the limit ${describe(limit)}: a whole number from 1`);
  return limit;
}

function readKeys(given: EventFilter, known: ReadonlySet<string>): Filter {
  if (!isPlain(given)) throw invalid(`must be a plain object, not ${describe(given)}`);
  checkKeys(given, known, 'WRKR_INVALID_FILTER', 'a filter');
  const filter: { -readonly [Key in keyof Filter]: Filter[Key] } = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) throw invalid(`has an undefined '${key}', and would match more than was meant`);
    if ((MATCHING as readonly string[]).includes(key)) filter[key as 'id'] = text(key, value);
  }
  if (given.name !== undefined) addressOf(given.name);
  if (given.stored !== undefined && typeof given.stored !== 'boolean')
    throw invalid(`has 'stored' ${describe(given.stored)}: as in a receipt`);
  if (given.when !== undefined) filter.at = instant(given.when);
  return filter;
}

function text(key: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid(`has '${key}' ${describe(value)}: a non-empty string`);
  return value;
}

function instant(when: unknown): Ms {
  if (!(when instanceof Date) || Number.isNaN(when.getTime()))
    throw invalid(`has 'when' ${describe(when)}: the Date of a receipt`);
  return when.getTime();
}

function invalid(why: string): WrkrError {
  return new WrkrError('WRKR_INVALID_FILTER', `the filter ${why}`);
}
