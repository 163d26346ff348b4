import type { Headers, Ms } from '../contract/contract.ts';
import { messageOf } from '../errors.ts';
import { ERRORS } from '../headers.ts';

/** One failed attempt, as it travels with the event. */
export interface PastError {
  readonly at: Ms;
  readonly attempt: number;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

const KEPT = 5;
const BYTES = 1024;
const MESSAGE_BYTES = 400;

export function historyOf(headers: Headers): readonly PastError[] {
  try {
    const history: unknown = JSON.parse(headers[ERRORS] ?? '[]');
    return Array.isArray(history) ? history : [];
  } catch {
    return [];
  }
}

/** The header with one more error: the last five, each cut to 1 KiB, fewer if there is no room for them. */
export function withError(headers: Headers, error: unknown, attempt: number, at: Ms, room: number): string {
  const history = [...historyOf(headers), pastError(error, attempt, at)].slice(-KEPT);
  for (;;) {
    const text = JSON.stringify(history);
    if (history.length === 1 || Buffer.byteLength(text) <= room) return text;
    history.shift();
  }
}

function pastError(error: unknown, attempt: number, at: Ms): PastError {
  const code = property(error, 'code');
  const short = { at, attempt, message: cut(messageOf(error), MESSAGE_BYTES), ...(code && { code: cut(code, 60) }) };
  const stack = property(error, 'stack');
  if (!stack) return short;
  const left = BYTES - Buffer.byteLength(JSON.stringify(short)) - '"stack":"",'.length;
  return { ...short, stack: cut(stack, left) };
}

function property(error: unknown, key: 'code' | 'stack'): string | undefined {
  try {
    const value: unknown = (error as Record<string, unknown> | null | undefined)?.[key];
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The longest beginning whose JSON fits into so many bytes. */
function cut(text: string, bytes: number): string {
  const clean = text.toWellFormed();
  let end = Math.min(clean.length, bytes);
  while (end > 0 && Buffer.byteLength(JSON.stringify(clean.slice(0, end))) - 2 > bytes) end -= Math.ceil(end / 10);
  return clean.slice(0, end).toWellFormed();
}
