import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const file = fileURLToPath(new URL('with-node-test.js', import.meta.url));

it('the suite runs under node:test too', { timeout: 30_000 }, async () => {
  const env = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined };
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', file], { env });
  const count = (word: string): number => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(stdout)?.[1]);
  expect(count('pass')).toBeGreaterThan(70);
  expect(count('skipped')).toBeGreaterThan(0);
  expect(count('fail')).toBe(0);
  expect(stdout).toContain('# SKIP not run: the harness has no crash');
});
