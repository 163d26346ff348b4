import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

it.each([
  { DEBUG: '', loads: ['human-interval', 'numbered', 'ours'] },
  { DEBUG: 'wrkr:*', loads: ['debug', 'human-interval', 'ms', 'numbered', 'ours'] },
])('importing wrkr and @wrkr/memory loads nothing beyond the named dependencies: $loads', async ({ DEBUG, loads }) => {
  const folder = mkdtempSync(join(tmpdir(), 'wrkr-coverage-'));
  const code = "await import('wrkr'); await import('@wrkr/memory');";
  const env = { ...process.env, DEBUG, NODE_V8_COVERAGE: folder };
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: root, env });
  const [report] = readdirSync(folder);
  const { result } = JSON.parse(readFileSync(join(folder, report ?? ''), 'utf8')) as { result: { url: string }[] };
  rmSync(folder, { recursive: true });
  const packages = result.flatMap(
    ({ url }) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? (url.includes('/packages/') ? 'ours' : []),
  );
  // `debug` colours its lines where it finds `supports-color`, which the tools of this repository bring along.
  const loaded = [...new Set(packages)].filter((name) => name !== 'supports-color' && name !== 'has-flag').sort();
  expect(loaded).toEqual(loads);
});
