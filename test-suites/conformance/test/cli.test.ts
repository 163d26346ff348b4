import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { chapters } from '../src/index.ts';

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
  it('prints a line per chapter, the time and the counts, and exits with 0 where all passed', async () => {
    const { code, stdout } = await run('memory');
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(chapters.length + 2);
    expect(lines.at(-2)).toMatch(/^\d+\.\d s, /);
    expect(lines.at(-1)).toMatch(/^\d+ passed, 0 failed, \d+ not applicable, 0 not run$/);
    expect(code).toBe(0);
  });

  it('writes the run as JSON', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'wrkr-conformance-')), 'conformance.json');
    await run('memory', '--only', 'delay.', '--json', file);
    const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
    expect(record).toMatchObject({ contract: 1, backend: 'memory', capabilities: { scope: 'process' } });
    expect(record).toHaveProperty(['cases', 'delay.long.25d'], { status: 'passed' });
    expect(record).toHaveProperty(['cases', 'delay.clock-skew'], {
      status: 'not applicable',
      reason: "needs clock: 'server'",
    });
  });

  it('prints what backends can do as a table', async () => {
    const { code, stdout } = await run('--table', 'memory', 'test-suites/conformance/test/broken-backends.js');
    expect(stdout).toContain('| Capability | memory |');
    expect(stdout).toContain('\n| `lease.kind` | timed | timed |\n');
    expect(code).toBe(0);
  });

  it('fails the cases that are running when a backend breaks where nobody waits, and goes on', async () => {
    const { code, stdout } = await run('test-suites/conformance/test/stray.js', '--only', 'publish.empty-batch');
    expect(stdout).toMatch(/FAILED publish\.empty-batch: nobody handled this: Error: astray/);
    expect(stdout).toMatch(/logged warn: about to break/);
    expect(stdout).toMatch(/\n0 passed, 1 failed, 0 not applicable, 0 not run\n$/);
    expect(code).toBe(1);
  });

  it('names what failed and exits with 1', async () => {
    const { code, stdout } = await run(
      'test-suites/conformance/test/broken-backends.js',
      '--only',
      'delay.not-before-due-then-due',
    );
    expect(stdout).toMatch(/FAILED delay\.not-before-due-then-due: \S+.* \(delaying\.js:\d+\)/);
    expect(stdout).toMatch(/\n0 passed, 1 failed, 0 not applicable, 0 not run\n$/);
    expect(code).toBe(1);
  });

  it('takes several parts of ids', async () => {
    const { stdout } = await run('memory', '--only', 'publish.empty-batch,ack.gone-for-good');
    expect(stdout).toMatch(/\n2 passed, 0 failed, 0 not applicable, 0 not run\n$/);
  });

  it('says so and exits with 2 where the backend does not open', async () => {
    const { code, stderr } = await run('test-suites/conformance/test/never-opens.js');
    expect(stderr).toMatch(/^The suite could not run: Error.*: nobody listens/);
    expect(code).toBe(2);
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
