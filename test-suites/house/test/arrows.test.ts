import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What each package may import, besides itself and what Node brings; the rest of the arrows follow from it. */
const allowed: Record<string, readonly string[]> = {
  'packages/wrkr': ['@standard-schema/spec', 'debug', 'human-interval'],
  'packages/memory': ['wrkr/backend'],
  'packages/testing': ['wrkr', 'wrkr/backend'],
  'test-suites/conformance': ['@wrkr/testing', 'wrkr', 'wrkr/backend'],
  'test-suites/bench': ['@wrkr/memory', 'fastq', 'wrkr', 'wrkr/backend'],
  'test-suites/mutation': ['vitest', 'vitest/config'],
  'examples/github-webhooks': ['@octokit/webhooks', '@wrkr/memory', '@wrkr/testing', 'wrkr', 'wrkr/backend'],
  'examples/http-worker': ['@wrkr/memory', 'wrkr', 'wrkr/backend'],
  'examples/welcome-mail': ['@wrkr/memory', '@wrkr/testing', 'wrkr'],
};

const files = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ts$/.test(file))
    .map((file) => join(folder, file));

/** What a file imports or re-exports: `import … from 'x'`, over several lines too, `import 'x'` and `import('x')`. */
const importsOf = (file: string): readonly string[] => {
  const source = readFileSync(join(root, file), 'utf8');
  const statements = source.matchAll(/^(?:import|export)\s[^'"`;]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm);
  return [...statements].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '');
};

describe('imports', () => {
  it.each(Object.entries(allowed))('of %s are those that it may have', (name, packages) => {
    for (const file of files(`${name}/src`)) {
      for (const target of importsOf(file)) {
        const fine =
          target.startsWith('node:') || target.startsWith('./') || target.startsWith('../') || packages.includes(target);
        expect(fine, `${file} imports ${target}`).toBe(true);
      }
    }
  });

  it('never leave their package by a path', () => {
    for (const name of Object.keys(allowed)) {
      for (const file of files(`${name}/src`)) {
        const depth = file.slice(`${name}/src/`.length).split('/').length - 1;
        for (const target of importsOf(file)) {
          const up = target.split('/').filter((part) => part === '..').length;
          expect(up, `${file} imports ${target}`).toBeLessThanOrEqual(depth);
        }
      }
    }
  });

  it('are known for every package that there is', () => {
    const all = ['packages', 'test-suites', 'examples'].flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
    );
    expect([...all].sort()).toEqual([...Object.keys(allowed), 'test-suites/house'].sort());
  });
});

describe('the contract', () => {
  it('knows nothing of core', () => {
    for (const file of files('packages/wrkr/src/contract')) {
      for (const target of importsOf(file)) expect(target, file).toMatch(/^\.\/[\w-]+\.ts$/);
    }
  });
});

describe('time', () => {
  it('comes from the clock: no other file of core or memory touches the machine’s', () => {
    const machine = /\bDate\.now\(|\bsetTimeout\(|\bsetInterval\(|\bsetImmediate\(|\bperformance\.now\(|\bnew Date\(\)/;
    const sources = [...files('packages/wrkr/src'), ...files('packages/memory/src')].filter(
      (file) => !file.endsWith('time/clock.ts'),
    );
    expect(sources.length).toBeGreaterThan(40);
    for (const file of sources) expect(readFileSync(join(root, file), 'utf8'), file).not.toMatch(machine);
  });
});

describe('index files', () => {
  it('only re-export', () => {
    for (const name of Object.keys(allowed)) {
      for (const file of files(`${name}/src`).filter(
        (one) => /(?:^|\/)(?:index|backend)\.ts$/.test(one) && !name.startsWith('examples'),
      )) {
        const statements = readFileSync(join(root, file), 'utf8')
          .split(/;\s*/)
          .filter((text) => text.trim() !== '');
        for (const statement of statements) expect(statement.trim(), file).toMatch(/^export (?:type )?[{*]/);
      }
    }
  });
});
