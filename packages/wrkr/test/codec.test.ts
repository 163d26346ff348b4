import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, PLAIN, TAGGED } from '../src/publish/codec.ts';

const roundTrip = (payload: unknown): unknown => {
  const { type, body } = encode(payload);
  return decode(body, type);
};

const refusedWith = (payload: unknown): string => {
  try {
    encode(payload);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    expect(code).toBe('WRKR_INVALID_PAYLOAD');
    return message;
  }
  throw new Error('it was not refused');
};

describe('a payload', () => {
  it.each([[{ plan: 'pro', seats: 5, tags: ['a', null, true] }], [null], [0], [''], [false], [[]], ['žluťoučký 🐎'], [[[[]]]]])(
    '%j travels as plain JSON and arrives as it was',
    (payload) => {
      expect(encode(payload).type).toBe(PLAIN);
      expect(roundTrip(payload)).toStrictEqual(payload);
      expect(JSON.parse(Buffer.from(encode(payload).body).toString())).toStrictEqual(payload);
    },
  );

  it('that is not given is an empty body, and arrives as undefined', () => {
    expect(encode(undefined).body).toHaveLength(0);
    expect(roundTrip(undefined)).toBeUndefined();
  });

  it('may hold dates, bytes, bigints and -0, at any depth', () => {
    const payload = { at: new Date(5), deep: [{ big: 2n ** 80n, zero: -0 }], bytes: new Uint8Array([0, 255]) };
    expect(encode(payload).type).toBe(TAGGED);
    expect(roundTrip(payload)).toStrictEqual(payload);
    expect(roundTrip(-5n)).toBe(-5n);
    expect(Object.is(roundTrip(-0), -0)).toBe(true);
  });

  it('takes a Buffer, which arrives as a Uint8Array', () => {
    const bytes = roundTrip({ file: Buffer.from('hello') }) as { file: Uint8Array };
    expect(bytes.file.constructor).toBe(Uint8Array);
    expect(Buffer.from(bytes.file).toString()).toBe('hello');
  });

  it('arrives as it was even if it looks like our tags', () => {
    const payload = {
      a: { $date: 'x' },
      b: { $plain: { $bigint: '5' } },
      c: new Date(0),
      d: { $bytes: 'AA==', more: 1 },
      e: { $: 1 },
    };
    expect(roundTrip(payload)).toStrictEqual(payload);
    expect(roundTrip({ $date: 'x' })).toStrictEqual({ $date: 'x' });
    expect(roundTrip({ $date: undefined, at: new Date(1) })).toStrictEqual({ at: new Date(1) });
    expect(roundTrip({ x: { $date: 'x', gone: undefined }, at: 1n })).toStrictEqual({ x: { $date: 'x' }, at: 1n });
  });

  it('leaves out properties that are undefined', () => {
    expect(roundTrip({ a: 1, b: undefined })).toStrictEqual({ a: 1 });
  });

  it('is a copy: what is changed afterwards has no effect', () => {
    const payload = { list: [1], at: new Date(5) };
    const { type, body } = encode(payload);
    payload.list.push(2);
    payload.at.setTime(9);
    expect(decode(body, type)).toStrictEqual({ list: [1], at: new Date(5) });
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = { cycle };
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  class User {
    name = 'x';
  }
  class List extends Array<number> {}
  const named = Object.assign([1], { extra: 1 });
  const holes = [1, 2];
  delete holes[0];

  it.each<[string, unknown, string]>([
    ['NaN', { a: [Number.NaN] }, 'payload.a[0] is NaN'],
    ['Infinity', Number.POSITIVE_INFINITY, 'payload is Infinity'],
    ['a function', { fn: () => {} }, 'payload.fn is a value of type function'],
    ['a symbol', { s: Symbol('x') }, 'payload.s is a value of type symbol'],
    ['undefined in an array', [undefined], 'payload[0] is a value of type undefined'],
    ['a cycle', cycle, 'a value that contains itself'],
    ['a class instance', { user: new User() }, 'payload.user is an instance of User'],
    ['a Map', new Map(), 'payload is an instance of Map'],
    ['an error', { e: new Error('x') }, 'payload.e is an instance of Error'],
    ['a RegExp', [/x/], 'payload[0] is an instance of RegExp'],
    ['another typed array', new Float64Array(1), 'payload is an instance of Float64Array'],
    ['an invalid date', { at: new Date(Number.NaN) }, 'payload.at is an invalid Date'],
    ['half a surrogate pair', { text: ['\ud800'] }, 'payload.text[0] is half of a surrogate pair'],
    ['half a pair in a key', { '\udc00': 1 }, 'half of a surrogate pair'],
    ['an own __proto__', JSON.parse('{"a":{"__proto__":1}}'), 'payload.a.__proto__ is under a key that is not allowed'],
    [
      'an accessor',
      {
        get now() {
          return 1;
        },
      },
      'payload.now is an accessor',
    ],
    ['a symbol key', { [Symbol('k')]: 1 }, 'a symbol for a key'],
    ['an array with a hole', { holes }, 'payload.holes is an array with holes'],
    ['an array with a name', named, 'payload is an array with holes or properties of its own'],
    ['a subclass of Array', List.of(1), 'payload is an instance of List'],
    ['too many levels', deep(101), 'more than 100 levels'],
  ])('is refused with %s, and the path is named', (_, payload, message) => {
    expect(refusedWith(payload)).toContain(message);
  });

  it('may have a hundred levels, text that looks like an escape, and objects without a prototype', () => {
    expect(roundTrip(deep(100))).toStrictEqual(deep(100));
    expect(roundTrip({ text: '\\ud800', regex: '\\\\ud' })).toStrictEqual({ text: '\\ud800', regex: '\\\\ud' });
    expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
  });

  it('of any shape arrives as it was, or is refused: never as something else', () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt(),
      fc.date(),
      fc.uint8Array(),
    );
    const key = fc.oneof(fc.string(), fc.constantFrom('$date', '$plain', '$bytes', '$bigint', '$number', '$', '__proto__'));
    const payloads = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('any')), fc.dictionary(key, tie('any'))),
    })).any;
    fc.assert(
      fc.property(payloads, (payload) => {
        let encoded: ReturnType<typeof encode>;
        try {
          encoded = encode(payload);
        } catch (error) {
          expect((error as { code: string }).code).toBe('WRKR_INVALID_PAYLOAD');
          return;
        }
        expect(decode(encoded.body, encoded.type)).toEqual(payload);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a body from elsewhere', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  it('without a content type is taken for JSON, and parameters of a type do not matter', () => {
    expect(decode(bytes('{"a":1}'), undefined)).toStrictEqual({ a: 1 });
    expect(decode(bytes('[1]'), 'Application/JSON; charset=utf-8')).toStrictEqual([1]);
  });

  it.each<[string, Uint8Array, string | undefined]>([
    ['is no JSON', bytes('hello'), undefined],
    ['is not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), undefined],
    ['has another content type', bytes('{}'), 'text/xml'],
    ['has an unknown tag', bytes('{"$what":"x"}'), TAGGED],
    ['has a tag with the wrong value', bytes('{"$date":5}'), TAGGED],
    ['has a bigint that is none', bytes('{"$bigint":"x"}'), TAGGED],
  ])('that %s is unreadable', (_, body, type) => {
    expect(() => decode(body, type)).toThrow(expect.objectContaining({ code: 'WRKR_UNREADABLE' }));
  });
});
