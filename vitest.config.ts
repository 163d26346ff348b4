import { defineConfig } from 'vitest/config';

/** Packages of this repository are tested from their sources: see the first condition of their `exports`. */
const conditions = ['@wrkr/source', 'module', 'node', 'development|production'];

/** Where the counts go as JSON, if somebody adds them up. */
const outputFile = process.env.WRKR_TEST_REPORT;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{packages,test-suites,examples}/*/test/**/*.test.ts'],
    pool: 'threads',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: outputFile ? ['default', ['json', { outputFile }]] : ['default'],
  },
});
