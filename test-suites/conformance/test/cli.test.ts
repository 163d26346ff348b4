import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

describe('wrkr-conformance', () => {
  it('prints a line per chapter and the counts, and exits with 0 where all passed', async () => {
    const { code, stdout } = await run('memory');
    expect(stdout.trimEnd().split('\n')).toHaveLength(11);
    expect(stdout).toMatch(/\n\d+ passed, 0 failed, 0 not applicable, 0 not run\n$/);
    expect(code).toBe(0);
  });

  it('names what failed and exits with 1', async () => {
    const { code, stdout } = await run(
      'test-suites/conformance/test/broken-backends.js',
      '--only',
      'delay.not-before-due-then-due',
    );
    expect(stdout).toMatch(/FAILED delay\.not-before-due-then-due: \S+/);
    expect(stdout).toMatch(/\n0 passed, 1 failed, 0 not applicable, 0 not run\n$/);
    expect(code).toBe(1);
  });

  it.each([
    { what: 'no harness', args: [], says: 'Usage: wrkr-conformance' },
    { what: 'a harness that is not there', args: ['./nowhere.js'], says: 'There is no harness at' },
    { what: 'a module that Node cannot load', args: ['README.md'], says: 'cannot be loaded: Unknown file extension' },
    { what: 'a module without a harness', args: ['packages/wrkr/dist/index.js'], says: 'exports no harness' },
    { what: 'an unknown option', args: ['memory', '--olny', 'x'], says: "Unknown option '--olny'" },
    { what: 'a part of an id that no case has', args: ['memory', '--only', 'nothing.like-this'], says: 'No case has' },
  ])('explains itself and exits with 2 when given $what', async ({ args, says }) => {
    const { code, stderr } = await run(...args);
    expect(stderr).toContain(says);
    expect(code).toBe(2);
  });
});
