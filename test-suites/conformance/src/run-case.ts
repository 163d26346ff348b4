import { randomBytes } from 'node:crypto';
import type { Backend, Capabilities } from 'wrkr/backend';
import { SystemClock } from 'wrkr/backend';
import type { Case } from './case.ts';
import type { Harness } from './harness.ts';
import { World } from './world.ts';

export type Status = 'passed' | 'failed' | 'not applicable' | 'not run';

/** Why a case is not tried: the backend does not claim it, or the harness lacks what it takes. */
export interface Gate {
  readonly status: 'not applicable' | 'not run';
  readonly reason: string;
}

/** A backend that was opened once, to see what it declares. */
export interface Probe {
  readonly backend: Backend;
  readonly capabilities: Capabilities;
}

/** A word that no other run has, on whatever server: the first part of every name that it uses. */
export function runName(): string {
  return `c${randomBytes(4).toString('hex')}`;
}

export async function probe(harness: Harness, prefix: string): Promise<Probe> {
  const backend = harness.create({ namespace: `${prefix}probe` });
  await backend.open({ clock: new SystemClock(), log: () => {}, onState: () => {} });
  const { capabilities } = backend;
  await backend.close();
  return { backend, capabilities };
}

export function gateOf({ needs, hooks, methods }: Case, harness: Harness, { backend, capabilities }: Probe): Gate | undefined {
  const need = needs.find(({ met }) => !met(capabilities));
  if (need) return { status: 'not applicable', reason: `needs ${need.what}` };
  const method = methods.find((name) => backend[name] === undefined);
  if (method) return { status: 'not applicable', reason: `has no ${method}()` };
  const hook = hooks
    .filter((name) => name !== 'dueOf' || capabilities.clock === 'server')
    .find((name) => harness[name] === undefined);
  if (hook) return { status: 'not run', reason: `the harness has no ${hook}` };
  return undefined;
}

/** A failure of a case must not take more than this from the others. */
const LONGEST = 60_000;

/** Tries one case in a world of its own. Rejects with what was wrong. */
export async function runCase(one: Case, harness: Harness, capabilities: Capabilities, prefix: string): Promise<void> {
  const world = new World(harness, capabilities, prefix);
  let cancel = (): void => {};
  const tooLong = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error(`${one.id} did not end within ${LONGEST / 1000} s`));
    cancel = new SystemClock().real.after(LONGEST, fail);
  });
  try {
    await Promise.race([one.run(world), tooLong]);
  } finally {
    cancel();
    await world.end();
  }
}
