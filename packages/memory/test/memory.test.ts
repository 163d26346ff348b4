import { MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import type { Delivery } from 'wrkr/backend';
import { event, idsOf, opened, taking } from './setup.ts';

describe('what is sent', () => {
  it('is refused one by one, with the reason', async () => {
    const { backend, said } = await opened({
      capabilities: { limits: { ...new MemoryBackend().capabilities.limits, bodyBytes: 2 } },
    });
    const { failures } = await backend.send([
      event('big', { body: new Uint8Array(3) }),
      event('fits', { body: new Uint8Array(2) }),
      event('nowhere', { to: { queue: 'none' } }),
      event('later', { to: { event: 'a' }, at: 1001 }),
      event('unrouted', { to: { event: 'a' }, at: 1000 }),
    ]);
    expect(failures.map(({ index, error: { code, message } }) => [index, code, message])).toEqual([
      [0, 'too_large', 'the body has over 2 bytes'],
      [2, 'invalid', "there is no queue 'none'"],
      [3, 'invalid', 'it cannot delay what goes to subscribers: send it to a queue'],
    ]);
    expect([await idsOf(backend, {}), said]).toEqual([['fits'], ['up', 'unrouted unrouted a']]);
  });

  it('is not delayed where it was said that it cannot be', async () => {
    const { backend } = await opened({ capabilities: { delay: false } });
    const { failures } = await backend.send([event('now'), event('later', { at: 1 })]);
    expect(failures).toMatchObject([{ index: 1, error: { code: 'unsupported', message: 'it cannot delay' } }]);
  });

  it('is not part of a transaction', async () => {
    const { backend } = await opened();
    await expect(backend.send([event('e')], { tx: {} })).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('may bear a key twice where it was said that nothing is deduplicated', async () => {
    const { backend } = await opened({ capabilities: { dedupe: false } });
    await backend.send([event('1', { key: 'k' }), event('2', { key: 'k' })]);
    expect(await idsOf(backend, { key: 'k' })).toEqual(['1', '2']);
  });
});

describe('several events with one id', () => {
  it('are all found, and each is settled by itself', async () => {
    const { backend, clock } = await opened();
    expect(await idsOf(backend, { id: 'e' })).toEqual([]);
    await backend.send(['1', '2', '3'].map((tid) => event('e', { tid })));
    expect(await idsOf(backend, { id: 'e' })).toEqual(['e1', 'e2', 'e3']);
    const { consumer, got } = await taking(backend, 2);
    await clock.settle();
    consumer.limit(0);
    await consumer.settle([{ do: 'ack', d: got[0] as Delivery }]);
    expect(await idsOf(backend, { id: 'e' })).toEqual(['e2', 'e3']);
    expect(await backend.cancel({ queue: 'q', id: 'e' })).toBe(1);
    expect(await idsOf(backend, { id: 'e' })).toEqual(['e2']);
    await consumer.settle([{ do: 'ack', d: got[1] as Delivery }]);
    expect(await idsOf(backend, { id: 'e' })).toEqual([]);
    await backend.send([event('e', { tid: 'again' })]);
    expect(await idsOf(backend, { id: 'e' })).toEqual(['eagain']);
  });

  it('are all found after one came back', async () => {
    const { backend, clock } = await opened();
    await backend.send(['1', '2'].map((tid) => event('e', { tid })));
    await idsOf(backend, { id: 'e' });
    const { consumer } = await taking(backend, 1);
    await clock.settle();
    consumer.limit(0);
    await clock.advance(1001);
    expect((await idsOf(backend, { id: 'e' })).toSorted()).toEqual(['e1', 'e2']);
    expect(await backend.cancel({ queue: 'q', id: 'e' })).toBe(2);
  });
});

describe('pages', () => {
  it('go on after the one before, in order of arrival, over all queues', async () => {
    const { backend } = await opened();
    await backend.bind([{ queue: 'p', kind: 'work' }]);
    await backend.send(['1', '2', '3', '4', '5'].map((id, i) => event(id, { to: { queue: i % 2 ? 'p' : 'q' } })));
    const first = await backend.browse({}, { limit: 3 });
    const second = await backend.browse({}, { limit: 2, after: first.next as string });
    expect([first.items, second.items].map((items) => items.map(({ id }) => id))).toEqual([
      ['1', '2', '3'],
      ['4', '5'],
    ]);
    expect(second).not.toHaveProperty('next');
    await expect(backend.browse({}, { limit: 1, after: 'x' })).rejects.toMatchObject({
      code: 'invalid',
      message: "it never gave 'x' as the next page",
    });
  });
});

describe('change', () => {
  it('puts headers in, takes those out that are empty, and leaves the rest', async () => {
    const { backend } = await opened();
    await backend.send([event('e', { headers: { a: '1', b: '2' }, tid: 't', key: 'k' })]);
    expect(await backend.change({ queue: 'q', id: 'e' }, { headers: { b: '', c: '3' } })).toBe(1);
    const { items } = await backend.browse({ queue: 'q' }, { limit: 1 });
    expect(items).toMatchObject([{ headers: { a: '1', c: '3' }, tid: 't', key: 'k', at: 1000 }]);
    expect(Object.keys(items[0]?.headers ?? {})).toEqual(['a', 'c']);
  });

  it('to a queue that is not there is refused, and changes nothing', async () => {
    const { backend } = await opened();
    await backend.send([event('e')]);
    await expect(backend.change({ queue: 'q' }, { queue: 'none' })).rejects.toMatchObject({
      code: 'invalid',
      message: "there is no queue 'none'",
    });
    expect(await idsOf(backend, {})).toEqual(['e']);
  });
});

describe('a settlement', () => {
  it('that cannot be done says which, and why', async () => {
    const { backend, clock } = await opened();
    await backend.send([event('1'), event('2')]);
    const { consumer, got } = await taking(backend);
    await clock.settle();
    const [first, second] = got as [Delivery, Delivery];
    const move = { do: 'move', d: second, queue: 'none', at: 0, headers: {} } as const;
    const failures = await consumer.settle([{ do: 'ack', d: first }, { do: 'ack', d: first }, move]);
    expect(failures.map(({ index, error: { code, message } }) => [index, code, message])).toEqual([
      [1, 'stale', 'the lease has ended, or it was settled'],
      [2, 'invalid', "there is no queue 'none'"],
    ]);
    expect(await backend.stats('q')).toEqual({ ready: 0, delayed: 0, held: 1, oldestReadyAt: null });
  });
});

describe('timers', () => {
  it('are one at most for each queue, and none when nothing is to come', async () => {
    const { backend, clock } = await opened();
    const { consumer, got } = await taking(backend, 2, 20_000);
    await clock.settle();
    expect(clock.pending).toBe(0);
    await backend.send([event('1'), event('2'), event('3', { at: 3000 }), event('4', { at: 9000 })]);
    await clock.settle();
    expect(clock.pending).toBe(1);
    await consumer.settle(got.map((d) => ({ do: 'ack', d })));
    await clock.advance(8000);
    expect(got.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
    await consumer.settle(got.slice(2).map((d) => ({ do: 'ack', d })));
    await backend.close();
    await clock.settle();
    expect(clock.pending).toBe(0);
  });
});
