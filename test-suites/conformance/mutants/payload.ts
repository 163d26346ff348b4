import type { Headers } from 'wrkr/backend';
import type { BreakIt, Mutant } from './mutant.ts';
import { fits, routes } from './patterns.ts';
import { delivers, sends } from './wrap.ts';

const eachHeader = (headers: Headers, change: (key: string, value: string) => readonly [string, string] | undefined): Headers =>
  Object.fromEntries(
    Object.entries(headers)
      .map(([key, value]) => change(key, value))
      .filter((entry) => entry !== undefined),
  );

/** Whoever it is handed to. */
function losesAByteWith(moves: number): BreakIt {
  const seen = new Map<string, number>();
  return delivers((d) => {
    const before = seen.get(d.id) ?? 0;
    seen.set(d.id, before + 1);
    return before >= moves ? { ...d, body: d.body.subarray(1) } : d;
  });
}

export const payload: readonly Mutant[] = [
  {
    breaks: 'has no room for a body of nothing',
    caughtBy: 'body.bytes',
    breakIt: sends((out) => (out.body.byteLength === 0 ? undefined : out)),
  },
  {
    breaks: 'ends a body at its first zero',
    caughtBy: 'body.bytes',
    breakIt: sends((out) => ({ ...out, body: out.body.subarray(0, (out.body.indexOf(0) + 1 || out.body.length + 1) - 1) })),
  },
  {
    breaks: 'cuts bodies at 64 kB',
    caughtBy: 'body.bytes',
    breakIt: sends((out) => ({ ...out, body: out.body.subarray(0, 65_536) })),
  },
  {
    breaks: 'takes names that look alike for one',
    caughtBy: 'names.weird-round-trip',
    breakIt: routes((pattern, event) => fits(pattern.normalize('NFC'), event.normalize('NFC'))),
  },
  {
    breaks: 'has tids in lower case',
    caughtBy: 'names.weird-round-trip',
    breakIt: delivers((d) => ({ ...d, ...(d.tid !== undefined && { tid: d.tid.toLowerCase() }) })),
  },
  {
    breaks: 'escapes ids once too often',
    caughtBy: 'names.weird-round-trip',
    breakIt: sends((out) => ({ ...out, id: encodeURI(out.id) })),
  },
  {
    breaks: 'loses a byte of the body with the fourth move',
    caughtBy: 'body.survives-moves',
    breakIt: losesAByteWith(4),
  },
  {
    breaks: 'drops headers without a value',
    caughtBy: 'headers.fidelity',
    breakIt: sends((out) => ({ ...out, headers: eachHeader(out.headers, (key, value) => (value ? [key, value] : undefined)) })),
  },
  {
    breaks: 'trims the values of headers',
    caughtBy: 'headers.fidelity',
    breakIt: sends((out) => ({ ...out, headers: eachHeader(out.headers, (key, value) => [key, value.trim()]) })),
  },
  {
    breaks: 'has headers in Latin 1',
    caughtBy: 'headers.fidelity',
    breakIt: sends((out) => ({
      ...out,
      headers: eachHeader(out.headers, (key, value) => [key, Buffer.from(value, 'latin1').toString('latin1')]),
    })),
  },
  {
    breaks: 'cuts headers at 1 kB',
    caughtBy: 'headers.fidelity',
    breakIt: sends((out) => ({ ...out, headers: eachHeader(out.headers, (key, value) => [key, value.slice(0, 1024)]) })),
  },
];
