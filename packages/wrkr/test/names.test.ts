import { describe, expect, it } from 'vitest';
import { addressOf, checkKey, checkPattern, checkQueue } from '../src/publish/names.ts';

const refused = (check: () => void): string => {
  try {
    check();
  } catch (error) {
    expect((error as { code: string }).code).toBe('WRKR_INVALID_NAME');
    return (error as Error).message;
  }
  throw new Error('it was not refused');
};

const long = `${'a'.repeat(99)}.${'é'.repeat(51)}`;

describe('a name', () => {
  it.each(['user.added', 'a', 'ourApp.user-added_2', 'ž.🐎', 'a'.repeat(200), 'constructor.__proto__'])('%s is good', (name) => {
    expect(addressOf(name)).toEqual({ event: name });
    expect(() => checkQueue(name)).not.toThrow();
    expect(() => checkPattern(name)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['empty', '', 'must not be empty'],
    ['with an empty word', 'a..b', 'empty word'],
    ['that begins with a dot', '.a', 'empty word'],
    ['that ends with a dot', 'a.', 'empty word'],
    ['with a blank', 'a b', 'blank'],
    ['with a control character', 'a\u0000', 'control'],
    ['with a newline', 'a\n', 'blank, a control'],
    ['with a no-break space', 'a\u00a0b', 'blank'],
    ['of our own', '$relay', "begins with '$'"],
    ['over 200 bytes', long, 'longer than 200 bytes'],
    ['with half of a surrogate pair', 'a\ud800', 'surrogate'],
    ['that is no string', 5, 'must be a string'],
    ['that is missing', undefined, 'must be a string'],
  ])('%s is refused', (_, name, message) => {
    expect(refused(() => addressOf(name as string))).toContain(message);
    expect(refused(() => checkQueue(name))).toContain(message);
    expect(refused(() => checkPattern(name))).toContain(message);
  });

  it('of an event or a queue has no wildcards', () => {
    for (const name of ['user.*', '#', 'us*r.added']) {
      expect(refused(() => addressOf(name))).toContain('wildcard');
      expect(refused(() => checkQueue(name))).toContain('wildcard');
    }
  });

  it('of a queue does not end as dead letters do', () => {
    expect(refused(() => checkQueue('mail.dead'))).toContain("'.dead'");
    expect(addressOf('user.dead')).toEqual({ event: 'user.dead' });
  });
});

describe('a pattern', () => {
  it.each(['*', '#', 'user.*', '*.added', 'user.#', '#.added', 'a.*.#.b'])('%s is good', (pattern) => {
    expect(() => checkPattern(pattern)).not.toThrow();
  });

  it.each(['user*', 'us*r.added', '##', 'a.#b'])('%s is refused: a wildcard is a whole word', (pattern) => {
    expect(refused(() => checkPattern(pattern))).toContain('whole words');
  });
});

describe('a tid', () => {
  it('is any text', () => {
    for (const tid of ['1', 'a b', 'https://example.com/x?y=1', '🐎', 'x'.repeat(200)])
      expect(() => checkKey('tid', tid)).not.toThrow();
  });

  it('is not a number or an object, and the way out is named', () => {
    expect(refused(() => checkKey('tid', 5))).toContain('String(');
    expect(refused(() => checkKey('tid', {}))).toContain('String(');
  });

  it('is not empty, too long, or with control characters', () => {
    for (const tid of ['', 'x'.repeat(201), 'a\u0007']) refused(() => checkKey('tid', tid));
  });
});
