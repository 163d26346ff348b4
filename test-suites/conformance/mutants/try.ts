import { type CaseResult, report } from '@wrkr/conformance';
import { isBackendError } from 'wrkr/backend';
import { harnessOf, type Mutant } from './mutant.ts';

/** What came of a mutant. */
export interface Trial {
  readonly mutant: Mutant;
  readonly caught: boolean;
  /** What the case said, or why that does not count. */
  readonly why: string;
}

/** A sentence, or at least more than one word. */
const READABLE = /\w+\W+\w+\W+\w+/;

/** Runs the case that is named for a mutant. */
export async function tryMutant(mutant: Mutant): Promise<Trial> {
  try {
    const result = await resultOf(mutant);
    return { mutant, ...judged(result) };
  } catch (error) {
    return { mutant, caught: false, why: `the suite could not be run: ${String(error)}` };
  }
}

async function resultOf({ breaks, caughtBy, breakIt, declares }: Mutant): Promise<CaseResult | undefined> {
  const { results } = await report(breaks, harnessOf(breakIt, declares), { only: caughtBy });
  return results.find(({ id }) => id === caughtBy);
}

/** Caught is: the case failed and said so itself, or passed on what the backend refused. A crash or the limit of time is luck. */
function judged(result: CaseResult | undefined): Omit<Trial, 'mutant'> {
  if (!result) return { caught: false, why: 'there is no such case' };
  const { status, reason = '', error } = result;
  if (status !== 'failed') return { caught: false, why: `the case ${status} ${reason}`.trim() };
  if (!isAssertion(error) && !isBackendError(error)) return { caught: false, why: `the case broke: ${String(error)}` };
  return { caught: READABLE.test(reason), why: reason };
}

function isAssertion(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_ASSERTION';
}

/** Those of the named cases that fail where nothing is broken: they prove nothing. */
export async function falseAlarms(mutants: readonly Mutant[]): Promise<readonly string[]> {
  const kinds = new Set(mutants.map(({ declares }) => declares));
  const alarms: string[] = [];
  for (const kind of kinds) {
    const passed = await passing(kind);
    const named = mutants.filter(({ declares }) => declares === kind).map(({ caughtBy }) => caughtBy);
    alarms.push(...named.filter((id) => !passed.has(id)));
  }
  return [...new Set(alarms)];
}

async function passing(declares: Mutant['declares']): Promise<ReadonlySet<string>> {
  const { results } = await report(
    'whole',
    harnessOf(() => {}, declares),
  );
  return new Set(results.filter(({ status }) => status === 'passed').map(({ id }) => id));
}

/** All of them, several at once: most of the time is spent on waiting for what does not come. */
export async function tryAll(mutants: readonly Mutant[], sideBySide = 8): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  const waiting = mutants.entries();
  const work = async (): Promise<void> => {
    for (const [i, mutant] of waiting) trials[i] = await tryMutant(mutant);
  };
  await Promise.all(Array.from({ length: sideBySide }, work));
  return trials;
}
