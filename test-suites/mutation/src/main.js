// Changes the sources bit by bit, and says which changes no test notices: `npm run mutation`, or `npm run mutation -- memory time`.
// In a copy, because Stryker works in place here: the packages find each other by links in node_modules, so that a sandbox would
// be tested with the originals.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const ENTRIES = ['node_modules', 'packages', 'test-suites', 'examples', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const copy = join(root, '.cache/mutation');

/**
 * A backend is tried by its own tests, of which the suite is one; core by those of all packages. What reads a time is loaded once,
 * so each change is tried by every test: it has its own two files alone.
 */
const areas = {
  memory: { tests: 'packages/memory/test', files: ['packages/memory/src/*.ts'] },
  time: { tests: 'packages/wrkr/test/{when,backoff}.test.ts', files: inCore('time', 'when', 'backoff') },
  schedule: { tests: 'packages/*/test', files: inCore('schedule', 'relay', 'retries', 'address') },
  deliver: { tests: 'packages/*/test', files: inCore('deliver', 'settler', 'verdict', 'intake', 'leases', 'suspects') },
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(areas, name));
if (unknown !== undefined) throw new Error(`there is no area '${unknown}': there are ${Object.keys(areas).join(', ')}`);

copySources();
for (const [name, area] of Object.entries(areas)) {
  if (asked.length === 0 || asked.includes(name)) mutate(name, area);
}

/** @param {string} room @param {string[]} names */
function inCore(room, ...names) {
  return names.map((name) => `packages/wrkr/src/${room}/${name}.ts`);
}

function copySources() {
  rmSync(copy, { recursive: true, force: true });
  const filter = (/** @type {string} */ file) => basename(file) !== '.cache';
  for (const entry of ENTRIES) cpSync(join(root, entry), join(copy, entry), { recursive: true, verbatimSymlinks: true, filter });
}

/** @param {string} name @param {{ tests: string, files: readonly string[] }} area */
function mutate(name, { tests, files }) {
  const stryker = join(copy, 'node_modules/@stryker-mutator/core/bin/stryker.js');
  const args = ['run', 'test-suites/mutation/stryker.config.json', '--mutate', files.join(',')];
  const env = { ...process.env, WRKR_MUTATION_TESTS: tests };
  const { status } = spawnSync(process.execPath, [stryker, ...args], { cwd: copy, env, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
  const report = join(copy, 'mutation.json');
  if (existsSync(report)) cpSync(report, join(root, `.cache/mutation-${name}.json`));
}
