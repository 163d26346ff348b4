import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import base from '../../vitest.config.ts';

/** They wait in real time, so they come last: most mutants are caught before. */
const SLOW = /\/(outages|dead-letters|codec)\.test\.ts$/;

class QuickOnesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification): number => (SLOW.test(moduleId) ? 1 : 0);
    return files.toSorted((a, b) => isSlow(a) - isSlow(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

/** Tests of packages; one of them is the suite on memory. What tries documents, programs or whole processes is left out. */
const tests = process.env.WRKR_MUTATION_TESTS ?? 'packages/*/test';

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: [tests.endsWith('.test.ts') ? tests : `${tests}/**/*.test.ts`],
    setupFiles: ['test-suites/mutation/src/attribute.ts'],
    sequence: { sequencer: QuickOnesFirst, hooks: 'list' },
  },
});
