import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const work = join(root, 'node_modules/.cache/documents');

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...['packages', 'test-suites', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/README.md`),
  ),
].filter((file) => existsSync(join(root, file)));

/** Around a part of a program, in which `wrkr` is a bus that was started. */
const BEFORE = `import { MemoryBackend as Memory_ } from '@wrkr/memory';
import { Wrkr as Wrkr_ } from 'wrkr';
const wrkr = new Wrkr_({ backend: new Memory_() });
await wrkr.start();
`;
const AFTER = `
await new Promise((resolve) => setImmediate(resolve));
await wrkr.stop();
`;

/** The code blocks of all documents, as files of their own; a part of a program is completed. */
const blocks = documents.flatMap((file) => {
  const code = [...read(file).matchAll(/^```ts\n(.*?)^```/gms)].map(([, text = '']) =>
    isPart(text) ? BEFORE + text + AFTER : text,
  );
  return code.map((text, i) => ({ file: `${file.replaceAll('/', '-')}-${i}`, text }));
});

/** Whole programs that end by themselves, and parts that need nothing else than a bus. */
const programs = blocks.filter(({ text }) => text.includes('wrkr.stop(') && !/process\.once|declare const/.test(text));

function isPart(text: string): boolean {
  return /\bwrkr\./.test(text) && !/\bnew Wrkr[(<]/.test(text);
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

describe('the code in the documents', () => {
  beforeAll(() => {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    for (const { file, text } of blocks) writeFileSync(join(work, `${file}.mts`), text);
    const options = {
      noEmit: false,
      composite: false,
      incremental: false,
      declaration: false,
      declarationMap: false,
      isolatedDeclarations: false,
    };
    const unused = { noUnusedLocals: false, noUnusedParameters: false };
    const config = {
      extends: '../../../tsconfig.json',
      compilerOptions: { ...options, ...unused, outDir: 'out' },
      include: ['*.mts'],
      references: [],
    };
    writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config));
  });

  it('has the right types', { timeout: 60_000 }, async () => {
    expect(blocks.length).toBeGreaterThan(4);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const result = await run(process.execPath, [tsc, '--project', work]).catch((error: { stdout: string }) => error);
    expect(result.stdout).toBe('');
  });

  it.each(programs.map(({ file }) => file))('runs to its end: %s', async (file) => {
    const { stderr } = await run(process.execPath, [join(work, 'out', `${file}.mjs`)], { timeout: 20_000 });
    expect(stderr).toBe('');
  });

  it('is run where it is a whole program', () => {
    const ofPackage = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 18].map((i) => `packages-wrkr-README.md-${i}`);
    expect(programs.map(({ file }) => file)).toEqual(['README.md-0', 'README.md-2', ...ofPackage]);
  });
});

describe('the first example of the README', () => {
  it('is 12 lines of code at most, and does what it says', async () => {
    const [first] = programs;
    const lines = first?.text.split('\n').filter((line) => line.trim() !== '' && line.trim() !== '});') ?? [];
    expect(lines.length).toBeLessThanOrEqual(12);
    const { stdout } = await run(process.execPath, [join(work, 'out/README.md-0.mjs')]);
    expect(stdout).toBe('Welcome, ada!\nHow was it, ada?\n');
  });
});

describe('links', () => {
  it.each(documents)('of %s lead somewhere', (file) => {
    const targets = [...read(file).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    for (const [, path, heading] of targets) {
      const target = resolve(root, dirname(file), path || file.split('/').at(-1) || '');
      expect(existsSync(target), `${path} in ${file}`).toBe(true);
      if (heading) expect(headingsOf(readFileSync(target, 'utf8')), `#${heading} in ${file}`).toContain(heading);
    }
  });
});

function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('the error codes', () => {
  const source = read('packages/wrkr/src/errors.ts');
  const codes = [...(source.split('export interface')[0] ?? '').matchAll(/'(WRKR_\w+)'/g)].map(([, code]) => code);

  it('are all explained in the README of the package, and no others', () => {
    const explained = [...read('packages/wrkr/README.md').matchAll(/^\| `(WRKR_\w+)`/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(15);
    expect([...explained].sort()).toEqual([...codes].sort());
  });

  const folder = join(root, 'packages/wrkr/src');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');

  it.each(codes)('%s is thrown, or told, somewhere', (code) => {
    const made = new RegExp(`new WrkrError\\(\\s*'${code}'|^  \\w+: '${code}',$`, 'm'); // or translated from a backend's
    expect(made.test(sources)).toBe(true);
  });
});
