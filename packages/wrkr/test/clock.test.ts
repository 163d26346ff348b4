import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from 'wrkr/backend';

const HOUR = 3_600_000;

/** One that is bound to timers which the test moves. */
async function clockOnFakeTimers(): Promise<Clock> {
  vi.resetModules();
  const { SystemClock } = await import('../src/time/clock.ts');
  return new SystemClock();
}

describe('the clock of the machine', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.resetModules();
  });

  it('fires when it is due, not before, and not once it is cancelled', async () => {
    const clock = await clockOnFakeTimers();
    const fired: string[] = [];
    clock.after(10, () => fired.push('a'));
    clock.after(10, () => fired.push('never'))();
    vi.advanceTimersByTime(9);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['a']);
  });

  it('waits longer than setTimeout can', async () => {
    const clock = await clockOnFakeTimers();
    let fired = 0;
    clock.after(30 * 24 * HOUR, () => fired++);
    vi.advanceTimersByTime(30 * 24 * HOUR - 1);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
    vi.advanceTimersByTime(HOUR);
    expect(fired).toBe(1);
  });

  it('can be cancelled in the middle of a long wait', async () => {
    const clock = await clockOnFakeTimers();
    let fired = 0;
    const cancel = clock.after(HOUR, () => fired++);
    vi.advanceTimersByTime(HOUR / 2);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(HOUR);
    expect(fired).toBe(0);
  });

  it('notices within a minute that it was set forward', async () => {
    const clock = await clockOnFakeTimers();
    let fired = 0;
    clock.after(5 * HOUR, () => fired++);
    vi.setSystemTime(clock.now() + 5 * HOUR);
    vi.advanceTimersByTime(60_000);
    expect(fired).toBe(1);
  });

  it('fires later if it was set back, or its timer was early', async () => {
    const clock = await clockOnFakeTimers();
    const due = clock.now() + 1000;
    let at = 0;
    clock.after(1000, () => {
      at = clock.now();
    });
    vi.setSystemTime(due - 1003);
    vi.advanceTimersByTime(1002);
    expect(at).toBe(0);
    vi.advanceTimersByTime(1);
    expect(at).toBe(due);
  });

  it('has beside it one that nobody can set', async () => {
    const clock = await clockOnFakeTimers();
    let fired = 0;
    clock.real.after(1000, () => fired++);
    vi.setSystemTime(clock.now() + HOUR);
    vi.advanceTimersByTime(999);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
  });
});
