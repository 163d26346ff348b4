import { MemoryBackend } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import { describe, expect, it } from 'vitest';
import { Wrkr } from 'wrkr';

const DAY = 86_400_000;

describe('the virtual clock', () => {
  it('stands still until it is told to move', async () => {
    const clock = new VirtualClock({ start: new Date('2031-05-01T00:00:00Z') });
    const start = Date.UTC(2031, 4, 1);
    expect(clock.now()).toBe(start);
    await clock.advance('7 days');
    expect(clock.now()).toBe(start + 7 * DAY);
    await clock.advance(250);
    expect(clock.now()).toBe(start + 7 * DAY + 250);
    await expect(clock.advance('soon')).rejects.toMatchObject({ code: 'WRKR_INVALID_WHEN' });
  });

  it('fires what falls due, in order, at its time, also what is set in between', async () => {
    const clock = new VirtualClock({ start: 0 });
    const fired: [string, number][] = [];
    const note = (word: string) => (): void => {
      fired.push([word, clock.now()]);
    };
    clock.after(300, note('c'));
    clock.after(100, () => {
      note('a')();
      clock.after(100, note('b'));
    });
    clock.after(300, note('d'));
    const cancel = clock.after(200, note('never'));
    clock.after(5000, note('not yet'));
    cancel();
    await clock.advance(1000);
    expect(fired).toEqual([
      ['a', 100],
      ['b', 200],
      ['c', 300],
      ['d', 300],
    ]);
    expect(clock.pending).toBe(1);
  });
});

describe('with a bus on it', () => {
  const bus = async (
    handler: (event: { name: string }) => unknown,
    patience?: number,
  ): Promise<{ wrkr: Wrkr; clock: VirtualClock }> => {
    const clock = new VirtualClock(patience === undefined ? {} : { patience });
    const wrkr = new Wrkr({ backend: new MemoryBackend(), clock, logger: {} });
    await wrkr.subscribe('team', '#', handler);
    await wrkr.start();
    return { wrkr, clock };
  };

  it('seven days take no time, and handlers are waited for', async () => {
    const seen: number[] = [];
    const { wrkr, clock } = await bus(async () => {
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      seen.push(clock.now());
    });
    const start = clock.now();
    await wrkr.publish({ name: 'a', when: '7 days' });
    await clock.advance('7 days');
    expect(seen).toEqual([start + 7 * DAY]);
    await wrkr.stop();
  });

  it('handlers may do real I/O, and are waited for before the clock moves on', async () => {
    const seen: [string, number][] = [];
    const { wrkr, clock } = await bus(async (event) => {
      const began = clock.now();
      await new Promise<void>((resolve) => clock.real.after(50, resolve));
      seen.push([event.name, clock.now() - began]);
    });
    await wrkr.publish([
      { name: 'a', when: 1000 },
      { name: 'b', when: 2000 },
    ]);
    await clock.advance('1 hour');
    expect(seen).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    await wrkr.stop();
  });

  it('a handler that hangs does not hang it, and is waited for only once', async () => {
    const seen: string[] = [];
    const { wrkr, clock } = await bus((event) => {
      seen.push(event.name);
      return event.name === 'hangs' ? new Promise(() => {}) : undefined;
    }, 60);
    await wrkr.publish([{ name: 'hangs' }, ...Array.from({ length: 20 }, (_, i) => ({ name: `n${i}`, when: 1000 * (i + 1) }))]);
    const began = clock.real.now();
    await clock.advance('1 minute');
    expect(seen).toHaveLength(21);
    expect(clock.real.now() - began).toBeLessThan(600);
    await Promise.all([wrkr.stop({ timeout: 1 }), clock.advance(10)]);
  });

  it('once what hung has ended, others are waited for again', async () => {
    const slow: [string, number][] = [];
    let release = (): void => {};
    const { wrkr, clock } = await bus(async (event) => {
      const began = clock.now();
      if (event.name === 'hangs')
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      else await new Promise<void>((resolve) => clock.real.after(30, resolve));
      slow.push([event.name, clock.now() - began]);
    }, 60);
    await wrkr.publish([{ name: 'hangs' }, { name: 'slow', when: 2000 }]);
    await clock.advance(1000);
    release();
    await clock.advance('1 minute');
    expect(slow).toEqual([
      ['hangs', 1000],
      ['slow', 0],
    ]);
    await wrkr.stop();
  });

  it('settle() waits until nothing can go on without time', async () => {
    const seen: string[] = [];
    const { wrkr, clock } = await bus(async (event) => {
      if (seen.push(event.name) < 30) await wrkr.publish({ name: `n${seen.length}` });
    });
    const before = clock.now();
    await wrkr.publish({ name: 'n0' });
    await clock.settle();
    expect([seen.length, clock.now()]).toEqual([30, before]);
    await wrkr.stop();
  });
});
