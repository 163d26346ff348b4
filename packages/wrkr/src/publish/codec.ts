import { isDate, isUint8Array } from 'node:util/types';
import { nameOf } from '../checks/describe.ts';
import { isPlain, isRoot } from '../checks/plain.ts';
import { messageOf, WrkrError } from '../errors.ts';

/** Payloads of JSON values alone, readable by any program; also what a message without content type is taken for. */
export const PLAIN = 'application/json';

/**
 * Payloads that also hold a Date, bytes, a bigint or -0. JSON in which an object with one key that begins with `$` is a tag:
 * `$date` (ISO 8601), `$bytes` (base64), `$bigint` (decimal), `$number` (`-0`), and `$plain` around an object that looks like one.
 */
export const TAGGED = 'application/vnd.wrkr+json';

export interface Encoded {
  readonly type: typeof PLAIN | typeof TAGGED;
  readonly body: Uint8Array;
}

const NOTHING: Encoded = { type: PLAIN, body: new Uint8Array(0) };

/** Refuses what would not arrive as it is, with its path: `WRKR_INVALID_PAYLOAD`. No payload at all is an empty body. */
export function encode(payload: unknown): Encoded {
  if (payload === undefined) return NOTHING;
  const tagged = inspected(payload);
  const text = JSON.stringify(tagged ? tag(payload) : payload);
  if (text.includes(HALF_PAIR)) checkText(payload, undefined, undefined);
  return { type: tagged ? TAGGED : PLAIN, body: Buffer.from(text) };
}

/** What a getter or a proxy throws while it is looked at is the payload's fault. */
function inspected(payload: unknown): boolean {
  try {
    return inspect(payload, undefined, undefined, 0);
  } catch (cause) {
    if (cause instanceof WrkrError) throw cause;
    throw new WrkrError('WRKR_INVALID_PAYLOAD', `the payload cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Throws `WRKR_UNREADABLE`. */
export function decode(body: Uint8Array, type: string | undefined): unknown {
  if (body.byteLength === 0) return undefined;
  const media = type === undefined ? PLAIN : mediaOf(type);
  if (media !== PLAIN && media !== TAGGED) throw unreadable(`content type '${type}' is not one of ${PLAIN}, ${TAGGED}`);
  try {
    const value: unknown = JSON.parse(utf8.decode(body));
    return media === TAGGED ? untag(value) : value;
  } catch (cause) {
    throw unreadable('the body is not the JSON that its content type says', cause);
  }
}

/** Throws on what is not UTF-8, where a Buffer would put something else in its place. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function mediaOf(type: string): string {
  return type.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function unreadable(why: string, cause?: unknown): WrkrError {
  return new WrkrError('WRKR_UNREADABLE', `this event cannot be read: ${why}`, { cause });
}

/** Deeper than any document that people write, and a cycle has no end. */
const DEEPEST = 100;

/** Where a value stands: a container, and the key in it. The payload itself has none. */
interface Path {
  readonly up: Path | undefined;
  readonly key: string | number | undefined;
}

/** Returns whether the value needs tags. Leaves cost no path: one is made for each container. */
function inspect(value: unknown, up: Path | undefined, key: string | number | undefined, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return false;
    case 'number':
      if (!Number.isFinite(value)) throw refused({ up, key }, String(value));
      return value === 0 && Object.is(value, -0);
    case 'bigint':
      return true;
    case 'object':
      return value !== null && inspectContainer(value, { up, key }, depth);
    default:
      throw refused({ up, key }, `a value of type ${typeof value}`);
  }
}

function inspectContainer(value: object, path: Path, depth: number): boolean {
  if (depth === DEEPEST) throw refused(path, `more than ${DEEPEST} levels deep, or a value that contains itself`);
  if (Array.isArray(value)) return inspectArray(value, path, depth);
  if (isPlain(value)) return inspectObject(value, path, depth);
  if (isUint8Array(value)) return true;
  if (isDate(value)) return inspectDate(value, path);
  throw refused(path, `an instance of ${nameOf(value)}`);
}

function inspectArray(array: readonly unknown[], path: Path, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(array);
  if (prototype !== Array.prototype && !(prototype && isRoot(Object.getPrototypeOf(prototype))))
    throw refused(path, `an instance of ${nameOf(array)}`);
  if (Reflect.ownKeys(array).length !== array.length + 1) throw refused(path, 'an array with holes or properties of its own');
  let tagged = false;
  for (let i = 0; i < array.length; i++) {
    const own = Object.getOwnPropertyDescriptor(array, i) as PropertyDescriptor;
    if (own.get || own.set) throw refused({ up: path, key: i }, 'an accessor');
    if (inspect(own.value, path, i, depth + 1)) tagged = true;
  }
  return tagged;
}

function inspectObject(object: object, path: Path, depth: number): boolean {
  if (Object.getOwnPropertySymbols(object).length > 0) throw refused(path, 'an object with a symbol for a key');
  if (typeof (object as { toJSON?: unknown }).toJSON === 'function') throw refused({ up: path, key: 'toJSON' }, 'a function');
  let tagged = false;
  for (const key in object) {
    const own = Object.getOwnPropertyDescriptor(object, key);
    if (!own) continue; // inherited
    if (own.get || own.set) throw refused({ up: path, key }, 'an accessor');
    if (key === '__proto__') throw refused({ up: path, key }, 'under a key that is not allowed');
    if (own.value !== undefined && inspect(own.value, path, key, depth + 1)) tagged = true;
  }
  return tagged;
}

/** JSON writes half of a surrogate pair as an escape; so it does the text of one, which is why its finds are looked at. */
const HALF_PAIR = '\\ud';

/** Refuses what has half of a surrogate pair in a string or a key: other programs cannot read it. */
function checkText(value: unknown, up: Path | undefined, key: string | number | undefined): void {
  const whole = (text: unknown): boolean => typeof text !== 'string' || text.isWellFormed();
  if (!whole(value) || !whole(key)) throw refused({ up, key }, 'half of a surrogate pair');
  if (typeof value !== 'object' || value === null || isUint8Array(value)) return;
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [inner, part] of entries) checkText(part, { up, key }, inner);
}

function inspectDate(date: Date, path: Path): true {
  if (Number.isNaN(date.getTime())) throw refused(path, 'an invalid Date');
  return true;
}

function refused(path: Path, what: string): WrkrError {
  let text = '';
  for (let at: Path | undefined = path; at && at.key !== undefined; at = at.up) {
    text = (typeof at.key === 'number' ? `[${at.key}]` : `.${at.key.slice(0, 40)}`) + text;
  }
  return new WrkrError(
    'WRKR_INVALID_PAYLOAD',
    `payload${text} is ${what}: a payload is JSON values, Date, Uint8Array and bigint`,
  );
}

function tag(value: unknown): unknown {
  if (typeof value === 'bigint') return { $bigint: value.toString() };
  if (Object.is(value, -0)) return { $number: '-0' };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(tag);
  if (isDate(value)) return { $date: value.toISOString() };
  if (isUint8Array(value)) return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  const mapped = mapValues(value, tag);
  return tagOf(mapped) === undefined ? mapped : { $plain: mapped };
}

function untag(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(untag);
  const name = tagOf(value);
  if (name === undefined) return mapValues(value, untag);
  const inner = (value as Record<string, unknown>)[name];
  if (name === '$plain') return mapValues(inner as object, untag);
  const read = READERS[name];
  if (!read || typeof inner !== 'string') throw new TypeError(`unknown tag ${name}`);
  return read(inner);
}

const READERS: Record<string, (text: string) => unknown> = {
  $date: (text) => new Date(text),
  $bytes: (text) => new Uint8Array(Buffer.from(text, 'base64')),
  $bigint: BigInt,
  $number: Number,
};

/** The key of an object that is, or looks like, a tag. */
function tagOf(object: object): string | undefined {
  const keys = Object.keys(object);
  return keys.length === 1 && keys[0]?.startsWith('$') ? keys[0] : undefined;
}

function mapValues(object: object, fn: (value: unknown) => unknown): object {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, fn(value)]));
}
