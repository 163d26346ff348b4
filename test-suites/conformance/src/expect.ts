import assert from 'node:assert/strict';
import type { BackendErrorCode, Failure } from 'wrkr/backend';

/** As many as can be read. */
const MOST = 5;

/** `a, b, c, d, e and 20 more`. */
export function listed(items: readonly unknown[]): string {
  const first = items.slice(0, MOST).map(shown).join(', ');
  return items.length > MOST ? `${first} and ${items.length - MOST} more` : first || 'nothing';
}

/** Every item of a batch was done. */
export function expectDone(failures: readonly Failure[], what: string): void {
  assert.ok(failures.length === 0, `${what} failed, and it is in order: ${textOf(failures)}`);
}

/** These items of a batch failed, with these codes, and no others. */
export function expectFailed(
  failures: readonly Failure[],
  expected: Readonly<Record<number, BackendErrorCode>>,
  what: string,
): void {
  const codes = Object.fromEntries(failures.map(({ index, error }) => [index, error.code]));
  assert.ok(isSame(codes, expected), `${what} should have failed as ${shown(expected)}: ${textOf(failures)}`);
}

/** The same ids, each as often, in whatever order. */
export function expectIds(actual: Iterable<string>, expected: Iterable<string | undefined>, what: string): void {
  const [there, wanted] = [[...actual], [...expected].map(String)];
  const [missing, strays] = [without(wanted, there), without(there, wanted)];
  const text = `${what}: missing are ${listed(missing)}; not expected were ${listed(strays)}`;
  assert.ok(missing.length + strays.length === 0, text);
}

/** The same in all that is compared. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  assert.ok(isSame(actual, expected), `${what}: there was ${shown(actual)}, and there should be ${shown(expected)}`);
}

function isSame(actual: unknown, expected: unknown): boolean {
  try {
    assert.deepEqual(actual, expected);
    return true;
  } catch {
    return false;
  }
}

function without(items: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return items.filter((item) => {
    const i = left.indexOf(item);
    if (i >= 0) left.splice(i, 1);
    return i < 0;
  });
}

/** It must not be refused. */
export async function expectResolves<T>(call: Promise<T>, what: string): Promise<T> {
  return call.catch((error: unknown) => assert.fail(`${what} should resolve, and it rejected: ${String(error)}`));
}

/** Without stacks, which are the backend's own. */
function textOf(failures: readonly Failure[]): string {
  return listed(failures.map(({ index, error }) => [index, error.code, error.message]));
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
