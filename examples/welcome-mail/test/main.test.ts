import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

it('welcomes both, asks the one that is still interested a week later, and ends', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [main], { timeout: 10_000 });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    '2030-01-01T09:00  mail to ada: Welcome to the pro plan!',
    '2030-01-04T09:00  mail to bob: Welcome to the free plan!',
    '2030-01-08T09:00  mail to ada: How was your first week?',
    '2030-01-11T09:00  done',
  ]);
});
