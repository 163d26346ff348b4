import fc from 'fast-check';
import qlobber from 'qlobber';
import { describe, expect, it } from 'vitest';
import { BindingTrie } from '../src/contract/binding-trie.ts';

const word = fc.constantFrom('a', 'b', 'c');
const name = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 6 })
  .map((words) => words.join('.'));

describe('the binding trie', () => {
  it('finds what an independent matcher finds, after any bindings and unbindings', () => {
    const change = fc.record({ pattern, value: fc.nat(3), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), fc.array(name, { maxLength: 5 }), (changes, names) => {
        const trie = new BindingTrie<number>();
        const bound = new Set<string>();
        for (const { pattern, value, remove } of changes) {
          const key = `${pattern} ${value}`;
          expect(remove ? trie.remove(pattern, value) : trie.add(pattern, value)).toBe(
            remove ? bound.delete(key) : !bound.has(key),
          );
          if (!remove) bound.add(key);
          for (const one of names) expect([...trie.match(one)].sort()).toEqual(matched(bound, one));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives each value once', () => {
    const trie = new BindingTrie<string>();
    for (const one of ['a.b', 'a.*', '#', 'a.#', '*.b', '#.#']) trie.add(one, 'q');
    expect(trie.match('a.b')).toEqual(['q']);
  });

  it('does not let a wildcard in first place match names of our own', () => {
    const trie = new BindingTrie<string>();
    for (const one of ['#', '*', '*.x', '#.x']) trie.add(one, one);
    expect(trie.match('$relay')).toEqual([]);
    expect(trie.match('$relay.x')).toEqual([]);
    trie.add('$relay.#', 'own');
    expect(trie.match('$relay.x')).toEqual(['own']);
  });

  it('is not slowed down by many # in a row', () => {
    const trie = new BindingTrie<string>();
    trie.add(Array(20).fill('#').join('.'), 'evil');
    trie.add(`${Array(15).fill('#.a').join('.')}.b`, 'worse');
    expect(trie.match(Array(60).fill('a').join('.'))).toEqual(['evil']);
  });
});

/** Bindings of values, each matched by itself by another library. */
function matched(bound: Set<string>, name: string): readonly number[] {
  const found = new Set<number>();
  for (const key of bound) {
    const [pattern, value] = key.split(' ') as [string, string];
    const matcher = new qlobber.Qlobber<number>({ max_wildcard_somes: 10 });
    matcher.add(pattern, Number(value));
    for (const one of matcher.match(name)) found.add(one);
  }
  return [...found].sort();
}
