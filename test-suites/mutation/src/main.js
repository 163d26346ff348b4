// Changes the sources bit by bit, and says which changes no test notices. In a copy, because Stryker works in place here: the
// packages find each other by links in node_modules, so that a sandbox would be tested with the originals.
// Arguments are patterns of files: `npm run mutation -- 'packages/memory/src/*.ts'`.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const copy = join(root, '.cache/mutation');
const left = new Set(['.git', '.cache', 'dist']);

rmSync(copy, { recursive: true, force: true });
for (const folder of ['node_modules', 'packages', 'test-suites', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
  const filter = (/** @type {string} */ file) => file.includes('/node_modules/') || !left.has(basename(file));
  cpSync(join(root, folder), join(copy, folder), { recursive: true, verbatimSymlinks: true, filter });
}

const files = process.argv.slice(2);
const stryker = join(copy, 'node_modules/@stryker-mutator/core/bin/stryker.js');
const config = 'test-suites/mutation/stryker.config.json';
const args = ['run', config, ...(files.length > 0 ? ['--mutate', files.join(',')] : [])];
const { status } = spawnSync(process.execPath, [stryker, ...args], { cwd: copy, stdio: 'inherit' });
process.exitCode = status ?? 1;
