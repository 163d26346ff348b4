import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const harness = fileURLToPath(new URL('children.js', import.meta.url));

function run(env: Record<string, string>): Promise<string> {
  const args = [cli, harness, '--only', 'life.close-leaves-nothing'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...process.env, ...env } }, (_, stdout) => resolve(stdout));
  });
}

it('a process of its own shows that close() left nothing', async () => {
  expect(await run({})).toMatch(/\n1 passed, 0 failed/);
});

it('and that it did', { timeout: 15_000 }, async () => {
  expect(await run({ LEAVES_TIMER: 'yes' })).toMatch(/FAILED life\.close-leaves-nothing: .* its process to end/);
});
