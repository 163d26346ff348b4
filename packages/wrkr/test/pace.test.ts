import { describe, expect, it } from 'vitest';
import { Pace } from '../src/deliver/pace.ts';

describe('the pace', () => {
  const pace = (concurrency = 2) => {
    let now = 0;
    const taken = new Pace({ now: () => now, after: () => () => {} }, { concurrency });
    /** So many events are done in so many milliseconds; returns what may be held from then on. */
    const work = (done: number, ms: number, busy = true): number => {
      now += ms;
      for (let i = 0; i < done; i++) taken.done();
      taken.adjust(busy);
      return taken.max;
    };
    return { taken, work };
  };

  it('begins with twice the concurrency, a thousand at most', () => {
    expect(pace(3).taken.max).toBe(6);
    expect(pace(900).taken.max).toBe(1000);
  });

  it('grows at once to what is done in a second', () => {
    const { work } = pace();
    expect(work(10, 100)).toBe(100);
    expect(work(200, 1000)).toBe(200);
    expect(work(9000, 1000)).toBe(1000);
  });

  it('does not judge by a moment, nor change for a little', () => {
    const { taken, work } = pace();
    expect(work(40, 49)).toBe(4);
    expect(work(60, 951)).toBe(100);
    expect(work(120, 1000)).toBe(100);
    expect(taken.adjust(true)).toBe(false);
  });

  it('falls when the handlers have become slow, but not soon, not while they idle, and not below twice the concurrency', () => {
    const { work } = pace();
    expect(work(100, 1000)).toBe(100);
    expect(work(10, 1000)).toBe(100);
    expect(work(1, 5000, false)).toBe(100);
    expect(work(60, 1000)).toBe(100);
    expect(work(40, 1000)).toBe(40);
    expect(work(0, 1000)).toBe(40);
    expect(work(0, 5000)).toBe(4);
  });
});
