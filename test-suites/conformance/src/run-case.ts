import { type Ms, SystemClock } from 'wrkr/backend';
import type { Case } from './case.ts';
import type { Harness, Hook } from './harness.ts';
import type { Probe } from './probe.ts';
import { World } from './world.ts';

export type Status = 'passed' | 'failed' | 'not applicable' | 'not run' | 'known failure';

/** Why a case is not tried: the backend does not claim it, or the harness lacks what it takes. */
export interface Gate {
  readonly status: 'not applicable' | 'not run';
  readonly reason: string;
}

export function gateOf({ needs, hooks, methods, throughCore }: Case, harness: Harness, probe: Probe): Gate | undefined {
  const capabilities = throughCore ? probe.throughCore : probe.capabilities;
  const need = needs.find(({ met }) => !met(capabilities));
  if (need) return { status: 'not applicable', reason: `needs ${need.what}` };
  const method = methods.find((name) => probe.backend[name] === undefined);
  if (method) return { status: 'not applicable', reason: `has no ${method}()` };
  const hook = hooks.filter((name) => isWanted(name, probe)).find((name) => harness[name] === undefined);
  if (hook) return { status: 'not run', reason: `the harness has no ${hook}` };
  return undefined;
}

/** Where time is virtual it proves what `dueOf` would, and a backend of this process needs no other. */
function isWanted(hook: Hook, { capabilities }: Probe): boolean {
  if (hook === 'dueOf') return capabilities.clock === 'server';
  return hook !== 'child' || capabilities.scope === 'network';
}

export interface Outcome {
  readonly status: Status;
  /** Why it failed. */
  readonly reason?: string;
  /** The line that failed. */
  readonly where?: string;
  readonly error?: unknown;
  /** What the backends logged, if it failed. */
  readonly logs?: readonly string[];
}

/** A failure of a case must not take more than this from the others. */
export const LONGEST: Ms = 60_000;

/** Tries one case in a world of its own. `stray` rejects when something outside of the case breaks. */
export async function runCase(
  one: Case,
  harness: Harness,
  { capabilities, mustComeMs }: Probe,
  prefix: string,
  stray: Promise<never> = new Promise(() => {}),
): Promise<Outcome> {
  const world = new World({ harness, capabilities, prefix, mustComeMs });
  const outcome = await within(LONGEST, one.id, Promise.race([one.run(world), stray])).then(
    (): Outcome => ({ status: 'passed' }),
    (error: unknown): Outcome => failed(error, world.logs),
  );
  await within(Math.max(2000, 4 * mustComeMs), 'the end', Promise.race([world.end(), stray])).catch(() => {});
  return known(outcome, harness.knownFailures?.[one.id]);
}

/** What a backend may leave without an answer must not stop the run. */
async function within<T>(ms: Ms, what: string, work: Promise<T>): Promise<T> {
  let cancel = (): void => {};
  const tooLong = new Promise<never>((_, reject) => {
    cancel = new SystemClock().real.after(ms, () => reject(new Error(`${what} did not end within ${ms / 1000} s`)));
  });
  return Promise.race([work, tooLong]).finally(() => cancel());
}

function failed(error: unknown, logs: readonly string[]): Outcome {
  const reason = error instanceof Error ? error.message : String(error);
  const where = whereOf(error);
  return { status: 'failed', reason, error, ...(where !== undefined && { where }), ...(logs.length > 0 && { logs }) };
}

/** The innermost line in the chapters, not in what they share. */
function whereOf(error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return /chapters[\\/]([\w-]+\.[jt]s:\d+)/.exec(stack)?.[1];
}

/** A known failure that passes is a failure: its reason is no longer true. */
function known(outcome: Outcome, why: string | undefined): Outcome {
  if (why === undefined) return outcome;
  if (outcome.status === 'failed') return { ...outcome, status: 'known failure', reason: `${why} (${outcome.reason})` };
  return { status: 'failed', reason: `it passes, and is known to fail: ${why}. Remove it from knownFailures` };
}
