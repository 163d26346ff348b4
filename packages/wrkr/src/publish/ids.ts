import type { Ms } from '../contract/contract.ts';

/** The bits that RFC 9562 calls rand_a: three hexadecimal digits after the version. */
const COUNTS = 4096;
const DIGITS: readonly string[] = Array.from({ length: COUNTS }, (_, count) => count.toString(16).padStart(3, '0'));

/**
 * Makes UUIDv7s that sort by time, then by order of creation: a counter in rand_a, as RFC 9562 section 6.2 has it (method 1), and
 * 62 random bits per process and millisecond. Where a millisecond is not enough, or the clock goes back, it counts on.
 */
export class Ids {
  #ms: Ms = 0;
  #count = COUNTS;
  #head = '';
  #tail = '';

  next(now: Ms): string {
    if (now > this.#ms || this.#count === COUNTS) this.#begin(Math.max(now, this.#ms + 1));
    return this.#head + DIGITS[this.#count++] + this.#tail;
  }

  #begin(ms: Ms): void {
    const time = ms.toString(16).padStart(12, '0');
    this.#ms = ms;
    this.#count = 0;
    this.#head = `${time.slice(0, 8)}-${time.slice(8)}-7`;
    this.#tail = `-${tailOf(crypto().randomBytes(8))}`;
  }
}

/** Loaded by the first id, not by the import. */
function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}

/** The last 8 bytes of a UUID, with the variant of RFC 9562 (section 4.1) in their first two bits. */
function tailOf(bytes: Buffer): string {
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x80;
  const digits = bytes.toString('hex');
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

/** A UUIDv5 (RFC 9562, section 5.5): the same for the same name. */
function v5(name: string, namespace: string): string {
  const hash = crypto()
    .createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  const head = hash.toString('hex', 0, 8);
  return `${head.slice(0, 8)}-${head.slice(8, 12)}-5${head.slice(13)}-${tailOf(hash.subarray(8, 16))}`;
}

/** Any UUIDs of our own will do (RFC 9562, section 6.5). */
const FOLLOW_UPS = 'c1b6e7d8-5d0e-4f53-9f0c-6f1f7c2a9b47';
const KEYS = '7f0f2a2e-6c3b-4a57-8b0e-2d1c9e8f5a64';

/** Stands for what an event is about, in as many bytes whatever its name and tid: see `once`. */
export function keyOf(name: string, tid: string): string {
  return v5(`${name} ${tid}`, KEYS);
}

/** The same for each attempt of the same handler, so that a retry does not fan out twice; another for every other queue. */
export function followUpId(parent: string, queue: string, name: string, tid: string | undefined, count: number): string {
  return v5(JSON.stringify([parent, queue, name, tid ?? null, count]), FOLLOW_UPS);
}
