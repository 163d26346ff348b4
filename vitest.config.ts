import { defineConfig } from 'vitest/config';

/** Packages of this repository are tested from their sources: see the first condition of their `exports`. */
const conditions = ['@wrkr/source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{packages,test-suites,examples}/*/test/**/*.test.ts'],
    pool: 'threads',
  },
});
