import { describe, expect, it } from 'vitest';
import type { PastError } from 'wrkr';
import { setup } from './setup.ts';

/** What is known of an event that failed so often with such errors. */
async function failed(attempts: number, fail: (attempt: number) => unknown, headerBytes = 65_536): Promise<readonly PastError[]> {
  const limits = { bodyBytes: 1e6, headerBytes, nameBytes: 255, batch: 250, batchBytes: 1e6, inFlight: 1 };
  const { wrkr, clock } = setup({ memory: { capabilities: { limits } } });
  await wrkr.subscribe('team', 'a', ({ attempt }) => Promise.reject(fail(attempt)), { retry: { attempts } });
  await wrkr.start();
  await wrkr.publish({ name: 'a' });
  await clock.advance('1 day');
  return (await wrkr.deadLetters()).items[0]?.history ?? [];
}

const sizeOf = (past: PastError | undefined): number => Buffer.byteLength(JSON.stringify(past));

describe('the history of a dead letter', () => {
  it.each([
    ['a long message', 'x'.repeat(5000)],
    ['wide characters', '😀'.repeat(2000)],
    ['characters that JSON escapes', '"\\\n'.repeat(2000)],
  ])('has no error of more than 1 KiB: %s', async (_, message) => {
    const [past] = await failed(1, () => Object.assign(new Error(message), { code: message, stack: message.repeat(2) }));
    expect(sizeOf(past)).toBeLessThanOrEqual(1024);
    expect(sizeOf(past)).toBeGreaterThan(800);
    expect(message.startsWith(past?.message.replace(/\uFFFD$/, '') ?? 'none')).toBe(true); // half a character is none
    expect(past?.message.length).toBeGreaterThan(90);
    expect(past?.code?.length).toBeGreaterThan(10);
    expect(past?.stack?.isWellFormed()).toBe(true);
  });

  it('has fewer where headers must be short, and the newest always', async () => {
    const fail = (attempt: number): unknown => Object.assign(new Error(`error ${attempt}`), { stack: 's'.repeat(5000) });
    const roomForTwo = 2 * (2 * 1024 + 512 + 10);
    expect((await failed(5, fail, roomForTwo)).map(({ attempt }) => attempt)).toEqual([4, 5]);
    expect((await failed(5, fail, 1100)).map(({ attempt }) => attempt)).toEqual([5]);
  });

  it('is made of whatever was thrown', async () => {
    const odd = {
      get code(): string {
        throw new Error('no');
      },
    };
    expect(await failed(1, () => odd)).toMatchObject([{ attempt: 1 }]);
    expect(await failed(1, () => Object.assign(new Error('x'), { code: 42, stack: undefined }))).toEqual([
      { at: expect.any(Number), attempt: 1, message: 'x' },
    ]);
  });
});
