import { isDeepStrictEqual } from 'node:util';
import type { PublishedEvent, Wrkr } from 'wrkr';
import { spanOf } from 'wrkr/backend';

/** What is expected of an event: some of its fields, and of its payload some of its properties. */
export type Match = Partial<Omit<PublishedEvent, 'when' | 'name'>> & {
  /** A Date, or how long after its publication, in words or milliseconds. */
  readonly when?: Date | string | number;
};

export interface Recorder {
  /** What was published since the recorder was made, in order; of one name, or all. */
  published(name?: string): readonly PublishedEvent[];
  /** The first event of that name that matches; throws an error that shows the others. */
  expectPublished(name: string, match?: Match): PublishedEvent;
  /** Ends the record. */
  stop(): void;
}

/** Keeps a record of what is published through this bus, follow-ups included (those when their handler has acked). */
// biome-ignore lint/suspicious/noExplicitAny: it takes a bus of any events
export function recorder(wrkr: Pick<Wrkr<any>, 'on'>): Recorder {
  if (typeof wrkr?.on !== 'function') throw new TypeError('recorder takes a Wrkr');
  const events: PublishedEvent[] = [];
  const stop = wrkr.on('published', (event) => events.push(event));
  const published = (name?: string): readonly PublishedEvent[] =>
    events.filter((event) => name === undefined || event.name === name);
  const expectPublished = (name: string, match: Match = {}): PublishedEvent => {
    const found = published(name).find((event) => matches(event, match));
    if (found) return found;
    throw new Error(`no '${name}' was published that matches ${show(match)}; there were: ${show(published(name))}`);
  };
  return { published, expectPublished, stop };
}

function matches(event: PublishedEvent, { when, ...fields }: Match): boolean {
  return includes(event, fields) && (when === undefined || event.when.getTime() === dueOf(event, when));
}

function dueOf(event: PublishedEvent, when: Date | string | number): number {
  return when instanceof Date ? when.getTime() : event.publishedAt.getTime() + spanOf(when);
}

/** Whether all that is expected is there; plain objects may have more. */
function includes(actual: unknown, expected: unknown): boolean {
  if (!isPlain(expected)) return isDeepStrictEqual(actual, expected);
  return isPlain(actual) && Object.entries(expected).every(([key, value]) => includes(actual[key], value));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));
}
