import { chapters } from './chapters.ts';
import type { Harness } from './harness.ts';
import { type Probe, probe, runName } from './probe.ts';
import { gateOf, type Outcome, runCase } from './run-case.ts';

/** What vitest, node:test and others have in common. The context is what they give a test; `skip` is how it says that it was not run. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: (context: { skip(reason?: string): unknown }) => Promise<void>) => unknown;
}

/** Registers the suite with a test runner: a group per chapter, a test per case, named by its id. */
export function conformance({ describe, it }: TestRunner, name: string, harness: Harness): void {
  const run = runName();
  let probed: Promise<Probe> | undefined;
  let count = 0;
  for (const chapter of chapters) {
    describe(`${name}: ${chapter.name}`, () => {
      for (const one of chapter.cases) {
        it(`${one.id}: ${one.title}`, async (context) => {
          probed ??= probe(harness, run);
          const gate = gateOf(one, harness, await probed);
          if (gate) context.skip(`${gate.status}: ${gate.reason}`);
          else expectPassed(await runCase(one, harness, await probed, `${run}x${++count}`));
        });
      }
    });
  }
}

/** Throws what was wrong, with what was logged. */
function expectPassed({ status, reason, error, logs = [] }: Outcome): void {
  if (status !== 'failed') return;
  const thrown = error instanceof Error ? error : new Error(reason);
  if (logs.length > 0) thrown.message += `\nlogged:\n  ${logs.join('\n  ')}`;
  throw thrown;
}
