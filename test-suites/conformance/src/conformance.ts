import { chapters } from './chapters.ts';
import type { Harness } from './harness.ts';
import { type Probe, probe, runName } from './probe.ts';
import { gateOf, LONGEST, type Outcome, runCase } from './run-case.ts';

/** What a test is given: `skip` is how it says that it was not run; what stands in `meta`, where there is one, is in vitest's report. */
export interface TestContext {
  skip(reason?: string): unknown;
  readonly task?: { readonly meta: object };
}

/** What vitest, node:test and others have in common. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: (context: TestContext) => Promise<void>, timeoutMs?: number) => unknown;
  /** Calls something when all tests are over (`afterAll`, `after`): without it the harness's `end` is not called. */
  readonly after?: (body: () => Promise<void> | undefined) => unknown;
}

/** The limits of cases are their own: that of the runner comes after them, also where the first case has to probe. */
const TIMEOUT = LONGEST + 60_000;

/** Registers the suite with a test runner: a group per chapter, a test per case, named by its id. */
export function conformance({ describe, it, after }: TestRunner, name: string, harness: Harness): void {
  const run = runName();
  let probed: Promise<Probe> | undefined;
  let count = 0;
  after?.(() => harness.end?.());
  for (const chapter of chapters) {
    describe(`${name}: ${chapter.name}`, () => {
      for (const one of chapter.cases) {
        const body = async (context: TestContext): Promise<void> => {
          probed ??= probe(harness, run);
          const gate = gateOf(one, harness, await probed);
          if (gate) skip(context, `${gate.status}: ${gate.reason}`);
          else expectPassed(await runCase(one, harness, await probed, `${run}x${++count}`));
        };
        it(`${one.id}: ${one.title}`, body, TIMEOUT);
      }
    });
  }
}

function skip(context: TestContext, reason: string): void {
  if (context.task) Object.assign(context.task.meta, { reason });
  context.skip(reason);
}

/** Throws what was wrong, with what was logged. */
function expectPassed({ status, reason, error, logs = [] }: Outcome): void {
  if (status !== 'failed') return;
  const thrown = error instanceof Error ? error : new Error(reason);
  if (logs.length > 0) thrown.message += `\nlogged:\n  ${logs.join('\n  ')}`;
  throw thrown;
}
