import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOf, spanOf, type When } from '../src/time/when.ts';

const NOW = Date.UTC(2030, 0, 1);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = { second: SECOND, minute: MINUTE, hour: HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY };

const codeOf = (when: unknown): string | undefined => {
  try {
    instantOf(when as When, NOW);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('when, in words', () => {
  it.each([
    ['7 days', 7 * DAY],
    ['1 hour and 30 minutes', 90 * MINUTE],
    ['1 hour 30 minutes', 90 * MINUTE],
    ['3 days, 4 hours and 36 seconds', 3 * DAY + 4 * HOUR + 36 * SECOND],
    ['3 days, 4 hours, and 36 seconds', 3 * DAY + 4 * HOUR + 36 * SECOND],
    ['7days', 7 * DAY],
    ['  2 Weeks ', 14 * DAY],
    ['TWO DAYS', 2 * DAY],
    ['twenty-five seconds', 25 * SECOND],
    ['1.5 hours', 90 * MINUTE],
    ['.5 hours', 30 * MINUTE],
    ['0 seconds', 0],
    ['1 month', 30 * DAY],
    ['5 years', 5 * 365 * DAY],
  ])('%s', (words, ms) => {
    expect(spanOf(words)).toBe(ms);
  });

  it.each([
    ['in 5 minutes', 'in 5 minutes'],
    ['10 min', '10 min'],
    ['7 days ago', 'ago'],
    ['soon', 'soon'],
    ['', ''],
    ['every day', 'every day'],
    ['a day', 'a day'],
    ['half an hour', 'half an hour'],
    ['250 milliseconds', '250 milliseconds'],
    ['1,000 seconds', '1'],
    ['1/2 hour', '1/2 hour'],
    ['one and a half hours', 'one'],
    ['5 thousand seconds', '5 thousand seconds'],
    ['2-3 days', '2-3 days'],
    ['-2 minutes', '-2 minutes'],
    ['1 day - 2 hours', '- 2 hours'],
    ['1 hour and', 'and'],
    ['P7D', 'p7d'],
    ['7', '7'],
    ['weekend', 'weekend'],
    ['second minute', 'second minute'],
    ['2 hours, then 3', 'then 3'],
  ])('%j is refused, and the piece that is unclear is named', (words, piece) => {
    expect(() => spanOf(words)).toThrow(`'${piece}'`);
    expect(codeOf(words)).toBe('WRKR_INVALID_WHEN');
  });

  it('is the sum of its pieces, however they are written and joined', () => {
    const piece = fc.record({
      count: fc.oneof(
        fc.nat(5000),
        fc.nat(500).map((n) => n / 10),
      ),
      unit: fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[])),
      plural: fc.boolean(),
      blank: fc.constantFrom('', ' ', '  '),
    });
    const joints = fc.constantFrom(' ', ', ', ' and ', ', and ', ',');
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), joints, fc.boolean(), (pieces, joint, upper) => {
        const written = pieces.map(({ count, unit, plural, blank }) => `${count}${blank}${unit}${plural ? 's' : ''}`).join(joint);
        const sum = pieces.reduce((ms, { count, unit }) => ms + count * UNITS[unit], 0);
        expect(spanOf(upper ? written.toUpperCase() : written)).toBeCloseTo(sum, 3);
      }),
    );
  });

  it('never takes a text for a time that is not made of such pieces', () => {
    const good =
      /^\s*((\d+(\.\d+)?|\.\d+|[a-z-]+)\s*(second|minute|hour|day|week|month|year)s?(\s*,\s*and\s+|\s*,\s*|\s+and\s+|\s+|$))+\s*$/i;
    const words = fc.constantFrom(
      'in',
      '5',
      'min',
      'minutes',
      'day',
      'days',
      'and',
      ',',
      'ago',
      'two',
      'next',
      '-',
      '1.5',
      'week',
      '.',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 6 }), (parts) => {
        const text = parts.join(' ');
        if (!good.test(text)) expect(codeOf(text), text).toBe('WRKR_INVALID_WHEN');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('when, as a number', () => {
  it('is a span in milliseconds', () => {
    expect(instantOf(1500, NOW)).toBe(NOW + 1500);
    expect(instantOf(0, NOW)).toBe(NOW);
    expect(instantOf(0.2, NOW)).toBe(NOW + 1);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('%s is refused', (ms) => {
    expect(codeOf(ms)).toBe('WRKR_INVALID_WHEN');
  });

  it('asks back where an instant was meant', () => {
    expect(() => spanOf(Date.UTC(2030, 0, 1))).toThrow('did you mean a Date?');
    expect(spanOf(1e12)).toBe(1e12);
  });
});

describe('when, as an instant', () => {
  it('is the time of a Date, also one that has passed', () => {
    expect(instantOf(new Date(NOW - 5), NOW)).toBe(NOW - 5);
    expect(codeOf(new Date(Number.NaN))).toBe('WRKR_INVALID_WHEN');
  });

  it.each([
    ['2030-01-31T09:00:00Z', Date.UTC(2030, 0, 31, 9)],
    ['2030-01-31T09:00Z', Date.UTC(2030, 0, 31, 9)],
    ['2030-01-31T09:00:00.250+01:00', Date.UTC(2030, 0, 31, 8, 0, 0, 250)],
    ['2030-01-31T09:00:00-0530', Date.UTC(2030, 0, 31, 14, 30)],
    ['2030-01-31t09:00:00z', Date.UTC(2030, 0, 31, 9)],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['2030-01-31T09:00:00.0001Z', Date.UTC(2030, 0, 31, 9, 0, 0, 1)],
  ])('%s', (iso, at) => {
    expect(instantOf(iso, NOW)).toBe(at);
  });

  it.each([
    '2030-01-31T09:00:00',
    '2030-01-31',
    '2030-02-30T00:00:00Z',
    '2029-02-29T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-31T24:00:00Z',
    '2030-01-31T09:60:00Z',
    '2030-01-31T09:00:60Z',
    '2030-01-31 09:00:00Z',
    '2030-01-31T09:00:00+25:00',
    '2030-1-31T09:00:00Z',
  ])('%s is refused', (iso) => {
    expect(codeOf(iso)).toBe('WRKR_INVALID_WHEN');
  });

  it('reads back what Date writes', () => {
    const dates = fc.date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });
    fc.assert(
      fc.property(dates, (date) => {
        expect(instantOf(date.toISOString(), NOW)).toBe(date.getTime());
      }),
    );
  });

  it('is refused beyond what a Date can hold', () => {
    expect(codeOf('300000 years')).toBe('WRKR_INVALID_WHEN');
    expect(codeOf('99999999999999 years')).toBe('WRKR_INVALID_WHEN');
    expect(codeOf('270000 years')).toBeUndefined();
  });

  it.each([[true], [{}], [null], [5n], [[]]])('%o is refused', (value) => {
    expect(codeOf(value)).toBe('WRKR_INVALID_WHEN');
  });
});

describe('at the edges', () => {
  const now = Date.UTC(2030, 0, 1);
  const refused = (when: unknown): string => {
    try {
      instantOf(when as string, now);
    } catch (error) {
      return (error as Error).message;
    }
    return expect.fail(`${String(when)} was taken`);
  };

  it.each([
    ['2030-01-01T23:59:59Z', Date.UTC(2030, 0, 1, 23, 59, 59)],
    ['2030-01-01T00:00+23:59', now - (23 * 60 + 59) * 60_000],
    ['2030-01-01T00:00-2359', now + (23 * 60 + 59) * 60_000],
    ['  2030-01-01T00:00Z  ', now],
    ['2030-01-01T00:00:00.123456789Z', now + 124],
    ['1 hour   and   30 minutes', now + 5_400_000],
    ['1 hour  ,  and  30 minutes', now + 5_400_000],
    ['1 hour,30 minutes', now + 5_400_000],
    ['1 hour  30 minutes', now + 5_400_000],
    [new Date(8.64e15), 8.64e15],
  ])('%s is taken', (when, instant) => {
    expect(instantOf(when, now)).toBe(instant);
  });

  it.each([
    ['2030-01-01T24:00:00Z', 'is no date in the calendar'],
    ['2030-01-01T00:60:00Z', 'is no date in the calendar'],
    ['2030-01-01T00:00:60Z', 'is no date in the calendar'],
    ['2030-02-30T00:00:00Z', 'is no date in the calendar'],
    ['2030-13-01T00:00:00Z', 'is no date in the calendar'],
    ['2030-01-01T00:00+24:00', "has the unclear offset '+24:00'"],
    ['2030-01-01T00:00+00:60', "has the unclear offset '+00:60'"],
    ['2030-01-01T00:00:00.1234567890Z', 'is no ISO date-time with offset'],
    ['2030-01-01T00:00Zulu', 'is no ISO date-time with offset'],
    ['on 2030-01-01T00:00Z', "is unclear at 'on 2030-01-01t00:00z'"],
    ['+2030-01-01T00:00Z', 'is no ISO date-time with offset'],
    ['7 days ,  soon , 1 hour', "is unclear at 'soon'"],
    ['7 days!', "is unclear at '!'"],
    ['', "is unclear at ''"],
    [`${'9'.repeat(400)} years`, 'is longer than any span'],
    ['300000 years', 'is beyond the year 275760'],
    [Number.NaN, 'NaN (a number) must be a number of milliseconds from 0'],
    [-1, 'must be a number of milliseconds from 0'],
    [new Date(Number.NaN), 'this Date is invalid'],
    [true, "true (a boolean) must be an interval such as '7 days'"],
    ['x'.repeat(200), `'${'x'.repeat(80)}' is unclear`],
  ])('%s is refused, in words', (when, message) => {
    expect(refused(when)).toContain(message);
  });
});
