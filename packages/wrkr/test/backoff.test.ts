import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { exponential, waitAfter } from '../src/time/backoff.ts';

describe('the default back-off', () => {
  it('is anything from 0 to a bound that doubles from 1 second to 1 hour', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, random) => {
          const wait = exponential(attempt, () => random);
          const bound = Math.min(3_600_000, 1000 * 2 ** (attempt - 1));
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(bound);
          expect(wait).toBe(Math.ceil(random * bound));
        },
      ),
    );
    expect([1, 2, 3, 12, 13, 100].map((attempt) => exponential(attempt, () => 1))).toEqual([
      1000, 2000, 4000, 2_048_000, 3_600_000, 3_600_000,
    ]);
  });
});

describe('a back-off of one’s own', () => {
  it('gives milliseconds or words, and is told the attempt and the error', () => {
    const error = new Error('x');
    const backoff = vi.fn(() => '2 minutes');
    expect(waitAfter(backoff, 3, error, () => {})).toBe(120_000);
    expect(backoff).toHaveBeenCalledWith(3, error);
    expect(
      waitAfter(
        () => 5,
        1,
        error,
        () => {},
      ),
    ).toBe(5);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['gives NaN', () => Number.NaN],
    ['gives nothing', () => undefined as unknown as number],
    ['gives nonsense', () => 'soon'],
    ['gives less than 0', () => -5],
  ])('that %s is reported, and the default is used', (_, backoff) => {
    const report = vi.fn();
    const wait = waitAfter(backoff, 1, undefined, report);
    expect(wait).toBeLessThanOrEqual(1000);
    expect(report).toHaveBeenCalledOnce();
  });
});

it('is a hundred years at most: more would leave the calendar', () => {
  const never = (): never => expect.fail('it was reported');
  expect(waitAfter(() => '1000 years', 1, undefined, never)).toBe(100 * 365 * 86_400_000);
  expect(waitAfter(() => 0.4, 1, undefined, never)).toBe(1);
});
