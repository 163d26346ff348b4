import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { chapters } from '../src/index.ts';

const ids = chapters.flatMap(({ cases }) => cases.map(({ id }) => id));

it('the ids are those that were approved: reports, links and known failures name them', () => {
  const approved = readFileSync(new URL('approved-ids.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  expect([...ids].sort()).toEqual(approved);
});

it('no id stands for two cases', () => {
  expect(new Set(ids).size).toBe(ids.length);
});
