import { chapters } from './chapters.ts';
import type { Harness } from './harness.ts';
import { gateOf, type Probe, probe, runCase, runName } from './run-case.ts';

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
          const backend = await probed;
          const gate = gateOf(one, harness, backend);
          if (gate) {
            context.skip(`${gate.status}: ${gate.reason}`);
            return;
          }
          await runCase(one, harness, backend.capabilities, `${run}x${++count}`);
        });
      }
    });
  }
}
