import { describe, expect, it } from 'vitest';
import { gate, refusal, setup } from './setup.ts';

describe('once', () => {
  it('stores nothing in a queue where one waits or is handled; then it is free again', async () => {
    const { wrkr, clock } = setup();
    const { opened, open } = gate();
    const handled: unknown[] = [];
    await wrkr.subscribe('search', 'user.changed', async ({ payload }) => {
      handled.push(payload);
      await opened;
    });
    await wrkr.start();
    const change = (tid: string, payload: number) => wrkr.publish({ name: 'user.changed', tid, payload, once: true });
    const first = await change('ada', 1);
    const second = await change('ada', 2);
    const other = await change('bob', 3);
    await clock.settle();
    const whileHandled = await change('ada', 4);
    expect(first.stored).toBe(true);
    expect(second).toEqual({ ...first, stored: false });
    expect(whileHandled).toEqual({ ...first, stored: false });
    expect(other.stored).toBe(true);
    open();
    await clock.settle();
    expect((await change('ada', 5)).stored).toBe(true);
    await clock.settle();
    expect(handled).toEqual([1, 3, 5]);
  });

  it('is looked at queue by queue: stored if one of them wanted it', async () => {
    const { wrkr, clock } = setup();
    const seen: string[] = [];
    await wrkr.subscribe('slow', 'a', ({ queue, payload }, ack) => {
      seen.push(`${queue} ${payload}`);
      return ack.later('1 hour');
    });
    await wrkr.subscribe('fast', 'a', ({ queue, payload }) => seen.push(`${queue} ${payload}`));
    await wrkr.start();
    await wrkr.publish({ name: 'a', tid: 't', payload: 1, once: true });
    await clock.settle();
    expect((await wrkr.publish({ name: 'a', tid: 't', payload: 2, once: true })).stored).toBe(true);
    await clock.settle();
    expect(seen.sort()).toEqual(['fast 1', 'fast 2', 'slow 1']);
  });

  it('does not hold back plain events, nor they it', async () => {
    const { wrkr } = setup();
    await wrkr.subscribe('team', 'b', () => {});
    await wrkr.start();
    await wrkr.subscribe('team', 'a', () => {});
    const stored = [
      await wrkr.publish({ name: 'a', tid: 't' }),
      await wrkr.publish({ name: 'a', tid: 't', once: true }),
      await wrkr.publish({ name: 'a', tid: 't' }),
    ].map((receipt) => receipt.stored);
    expect(stored).toEqual([true, true, true]);
  });
});

describe('onceEvery', () => {
  it('makes one event of many, the first of them, and none that comes after it is lost', async () => {
    const { wrkr, clock } = setup();
    const handled: unknown[] = [];
    await wrkr.subscribe('search', 'user.changed', ({ payload }) => handled.push([payload, clock.now()]));
    await wrkr.start();
    const began = clock.now();
    const change = (payload: number) => wrkr.publish({ name: 'user.changed', tid: 'ada', payload, onceEvery: '1 hour' });
    const first = await change(1);
    expect(first).toMatchObject({ when: new Date(began + 3_600_000), stored: true });
    await clock.advance('30 minutes');
    expect(await change(2)).toEqual({ ...first, stored: false });
    await clock.advance('30 minutes');
    await change(3);
    await clock.advance('1 day');
    expect(handled).toEqual([
      [1, began + 3_600_000],
      [3, began + 7_200_000],
    ]);
  });

  it('can be taken back by the receipt of any of them', async () => {
    const { wrkr, clock } = setup();
    await wrkr.subscribe('search', 'a', () => expect.fail('it was taken back'));
    await wrkr.start();
    await wrkr.publish({ name: 'a', tid: 't', onceEvery: 1000 });
    const second = await wrkr.publish({ name: 'a', tid: 't', onceEvery: 1000 });
    expect(await wrkr.cancel(second)).toBe(1);
    await clock.advance('1 minute');
  });
});

describe('what makes no sense', () => {
  it.each([
    [{ name: 'a', once: true }, 'WRKR_INVALID_EVENT', 'need a tid'],
    [{ name: 'a', onceEvery: '1 hour' }, 'WRKR_INVALID_EVENT', 'need a tid'],
    [{ name: 'a', tid: 't', once: true, onceEvery: '1 hour' }, 'WRKR_INVALID_EVENT', 'neither once nor when'],
    [{ name: 'a', tid: 't', when: 1000, onceEvery: '1 hour' }, 'WRKR_INVALID_EVENT', 'neither once nor when'],
    [{ name: 'a', tid: 't', when: 1000, once: true }, 'WRKR_INVALID_EVENT', 'does not go with when'],
    [{ name: 'a', tid: 't', once: 'yes' }, 'WRKR_INVALID_EVENT', 'true or false'],
    [{ name: 'a', tid: 't', onceEvery: 0 }, 'WRKR_INVALID_EVENT', 'longer than 0'],
    [{ name: 'a', tid: 't', onceEvery: 'soon' }, 'WRKR_INVALID_WHEN', "'soon'"],
    [{ name: 'a', ttl: 0 }, 'WRKR_INVALID_EVENT', 'longer than 0'],
    [{ name: 'a', ttl: '10 min' }, 'WRKR_INVALID_WHEN', "'10 min'"],
  ])('%o is refused', async (event, code, message) => {
    const { wrkr } = setup();
    await wrkr.start();
    expect(await refusal(wrkr.publish(event as never))).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('is what the backend cannot do', async () => {
    const { wrkr } = setup({ memory: { capabilities: { dedupe: false } } });
    await wrkr.start();
    expect((await refusal(wrkr.publish({ name: 'a', tid: 't', once: true }))).code).toBe('WRKR_UNSUPPORTED');
    expect((await wrkr.publish({ name: 'a', tid: 't', once: false })).stored).toBe(true);
  });
});
