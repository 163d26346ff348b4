import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const work = join(root, 'node_modules/.cache/wrong-types');
const source = readFileSync(join(root, 'packages/wrkr/test/types.test.ts'), 'utf8');

async function tsc(...args: readonly string[]): Promise<string> {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const result = await promisify(execFile)(process.execPath, [compiler, ...args], { cwd: root, maxBuffer: 1e8 }).catch(
    (error: { stdout: string }) => error,
  );
  return result.stdout;
}

/** What the compiler says of this text in the place of the type tests. */
async function saidOf(text: string): Promise<readonly string[]> {
  writeFileSync(join(work, 'types.test.ts'), text);
  const said = await tsc('--project', work, '--pretty', 'false');
  return [...said.matchAll(/error (TS\d+)/g)].map(([, code]) => code ?? '');
}

describe('the type tests', { timeout: 60_000 }, () => {
  beforeAll(() => {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const compilerOptions = { incremental: false, tsBuildInfoFile: null, noEmit: true, types: ['node'] };
    const config = { extends: '../../../test-suites/house/tsconfig.json', compilerOptions, include: ['*.ts'], references: [] };
    writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config));
  });

  it('are compiled by the build, which tests and checks begin with', async () => {
    const files = await tsc('--project', 'test-suites/house', '--listFilesOnly');
    expect(files).toContain('packages/wrkr/test/types.test.ts');
    const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
    expect(references).toContainEqual({ path: 'test-suites/house' });
  });

  it('pass as they are', async () => {
    expect(await saidOf(source)).toEqual([]);
  });

  it.each<[string, string, string, string]>([
    ['an expectation of a payload', '<{ times: number }>', '<{ times: string }>', 'TS2344'],
    ['an expectation of a union', "<'order.paid' | 'order.item.sent'>", "<'order.paid' | 'user.gone'>", 'TS2344'],
    ['an error that is none', "name: 'user.add',", "name: 'user.added',", 'TS2578'],
  ])('fail if %s is wrong', async (_, right, wrong, code) => {
    expect(source).toContain(right);
    expect(await saidOf(source.replace(right, wrong))).toEqual([code]);
  });
});
