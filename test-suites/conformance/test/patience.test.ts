import { VirtualClock } from '@wrkr/testing';
import { expect, it } from 'vitest';
import { Patience } from '../src/patience.ts';

/** Each look at the condition takes 10 ms of a clock that is the only one. */
function patient(mustComeMs: number, here = false): { readonly patience: Patience; readonly now: () => number } {
  let now = 0;
  const clock = new VirtualClock();
  const real = {
    now: () => now,
    after: (_: number, fn: () => void) => {
      now += 10;
      queueMicrotask(fn);
      return () => {};
    },
  };
  return { patience: new Patience(real, mustComeMs, { settle: () => clock.settle(), here }), now: () => now };
}

it('waits for as long as something grows, and no longer than it may take after that', async () => {
  const { patience, now } = patient(100);
  const grown = (): number => Math.min(now(), 500);
  const waiting = patience.until(
    () => `600 (there were ${grown()})`,
    () => grown() >= 600,
    undefined,
    grown,
  );
  await expect(waiting).rejects.toThrow('this did not happen: 600 (there were 500)');
  expect(now()).toBeGreaterThan(600);
});

it('has no more patience with what is in this process than usual', async () => {
  const { patience, now } = patient(100, true);
  await expect(
    patience.until(
      () => 'an answer',
      () => false,
      30_000,
    ),
  ).rejects.toThrow('this did not happen: an answer');
  expect(now()).toBeLessThan(200);
});
