import { MemoryBackend } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import { describe, expect, it } from 'vitest';
import type { Backend, Consumer, Delivery, Outgoing } from 'wrkr/backend';

interface World {
  readonly backend: MemoryBackend;
  readonly clock: VirtualClock;
  send(id: string, more?: Partial<Outgoing>): Promise<number>;
  take(max?: number, from?: Backend): Promise<{ consumer: Consumer; got: Delivery[]; lost: (readonly Delivery[] | 'all')[] }>;
  ids(filter?: object): Promise<readonly string[]>;
}

/** A backend that is open, with the queues `q` and `$relay`. */
async function world(): Promise<World> {
  const backend = new MemoryBackend();
  const clock = new VirtualClock({ start: 1000 });
  await backend.open({ clock, log: () => {}, onState: () => {} });
  await backend.bind(['q', 'p', '$relay'].map((queue) => ({ queue, kind: 'work' })));
  return {
    backend,
    clock,
    send: async (id, more = {}) => {
      const out = { to: { queue: 'q' }, id, name: 'a', sentAt: 0, at: 0, headers: {}, body: new Uint8Array(), ...more };
      return (await backend.send([out])).deduplicated.length;
    },
    take: async (max = 100, from = backend) => {
      const got: Delivery[] = [];
      const lost: (readonly Delivery[] | 'all')[] = [];
      const sink = {
        deliver: (batch: readonly Delivery[]) => void got.push(...batch),
        lost: (batch: (typeof lost)[0]) => void lost.push(batch),
      };
      const consumer = await from.consume('q', sink, { max, leaseMs: 1000, kind: 'work' });
      await clock.settle();
      return { consumer, got, lost };
    },
    ids: async (filter = { queue: 'q' }) => ((await backend.browse?.(filter, { limit: 100 }))?.items ?? []).map(({ id }) => id),
  };
}

describe('what is due', () => {
  it('is handed out by the time when it was due, whether it waited, was sent then or came back', async () => {
    const { clock, send, take } = await world();
    await send('came back');
    const first = await take();
    first.consumer.limit(0);
    await send('was delayed', { at: 1500 });
    await clock.advance(400);
    await send('in between');
    await clock.advance(700);
    await send('last');
    expect((await take()).got.map(({ id }) => id)).toEqual(['came back', 'in between', 'was delayed', 'last']);
  });

  it('at one time is handed out in the order of arrival', async () => {
    const { clock, send, take } = await world();
    await send('delayed 1', { at: 1500 });
    await send('delayed 2', { at: 1500 });
    await clock.advance(500);
    await send('at that time');
    expect((await take()).got.map(({ id }) => id)).toEqual(['delayed 1', 'delayed 2', 'at that time']);
  });

  it('goes back to its turn when it is released', async () => {
    const { clock, send, take } = await world();
    await send('1');
    await clock.advance(1);
    await send('2');
    await clock.advance(1);
    const { consumer, got } = await take(2);
    consumer.limit(0);
    await consumer.settle(got.map((d) => ({ do: 'move', d, queue: 'q', at: d.at, headers: {} })));
    await send('3');
    expect((await take()).got.map(({ id }) => id)).toEqual(['1', '2', '3']);
  });

  it('is counted, and how long the oldest is', async () => {
    const { backend, clock, send } = await world();
    await send('later', { at: 2000 });
    await send('much later', { at: 9000 });
    expect(await backend.stats?.('q')).toEqual({ ready: 0, delayed: 2, held: 0, oldestReadyAt: null });
    await clock.advance(1000);
    await send('now');
    expect(await backend.stats?.('q')).toEqual({ ready: 2, delayed: 1, held: 0, oldestReadyAt: 2000 });
  });
});

describe('consumers', () => {
  it('take turns', async () => {
    const { clock, send, take } = await world();
    const [one, two] = [await take(), await take()];
    for (const id of ['1', '2', '3', '4']) {
      await send(id);
      await clock.settle();
    }
    expect([one.got.length, two.got.length]).toEqual([2, 2]);
  });

  it('that were stopped get nothing more, and settle what they hold', async () => {
    const { clock, backend, send, take } = await world();
    const { consumer, got } = await take(1);
    await send('1');
    await send('2');
    await clock.settle();
    await consumer.stop();
    expect(await consumer.settle(got.map((d) => ({ do: 'ack', d })))).toEqual([]);
    await clock.advance(5000);
    expect([got.length, clock.pending, await backend.stats?.('q')]).toMatchObject([1, 0, { ready: 1, held: 0 }]);
  });

  it('are told what they lost, unless they are cut off', async () => {
    const { backend, clock, send, take } = await world();
    const { consumer, got, lost } = await take(1);
    await send('1');
    await clock.settle();
    consumer.limit(0);
    await clock.advance(999);
    expect(lost).toEqual([]);
    await clock.advance(1);
    expect(lost).toEqual([got]);
    consumer.limit(1);
    await clock.settle();
    consumer.limit(0);
    backend.cut();
    await clock.advance(1000);
    expect([lost.length, got.length]).toEqual([1, 2]);
  });

  it('go on after a cut that was mended, with what came in the meantime', async () => {
    const { backend, clock, send, take } = await world();
    const { got } = await take();
    backend.cut();
    await expect(send('refused')).rejects.toMatchObject({ code: 'unavailable' });
    backend.restore();
    await send('1');
    await clock.settle();
    expect(got.map(({ id }) => id)).toEqual(['1']);
  });

  it('keep what they hold when another of the queue closes', async () => {
    const { backend, clock, send, take } = await world();
    const other = new MemoryBackend({ broker: backend.broker });
    await other.open({ clock, log: () => {}, onState: () => {} });
    const mine = await take(1);
    await take(1, other);
    await send('1');
    await send('2');
    await clock.settle();
    await other.close();
    await clock.settle();
    expect(await mine.consumer.settle(mine.got.slice(0, 1).map((d) => ({ do: 'ack', d })))).toEqual([]);
    await clock.settle();
    expect(mine.got.map(({ id, handouts }) => [id, handouts])).toEqual([
      ['1', 1],
      ['2', 2],
    ]);
  });

  it('lose each event at the end of its own lease, whatever was extended', async () => {
    const { clock, send, take } = await world();
    const { consumer, got, lost } = await take(2);
    await send('1');
    await send('2');
    await clock.settle();
    consumer.limit(0);
    await consumer.extend(got.slice(1), 5000);
    await clock.advance(1000);
    expect(lost).toEqual([[got[0]]]);
    await clock.advance(3999);
    expect(lost).toHaveLength(1);
    await clock.advance(1);
    expect(lost).toEqual([[got[0]], [got[1]]]);
  });
});

describe('a key', () => {
  it('counts until its event is gone; in $relay only while it waits', async () => {
    const { clock, send, take, backend } = await world();
    expect(await send('1', { key: 'k' })).toBe(0);
    expect(await send('2', { key: 'k' })).toBe(1);
    const { consumer, got } = await take(1);
    consumer.limit(0);
    expect(await send('3', { key: 'k' })).toBe(1);
    await clock.advance(1001);
    expect(await send('4', { key: 'k' })).toBe(1);
    expect(await backend.cancel?.({ queue: 'q', key: 'k' })).toBe(1);
    expect(await send('5', { key: 'k' })).toBe(0);
    expect(got).toHaveLength(1);
  });

  it('of one queue does not count in another, and does not go there with its event', async () => {
    const { send, backend, ids } = await world();
    await send('1', { key: 'k' });
    expect(await send('2', { key: 'k', to: { queue: 'p' } })).toBe(0);
    await backend.cancel?.({ queue: 'p' });
    expect(await backend.change?.({ queue: 'q', id: '1' }, { queue: 'p' })).toBe(1);
    expect([await ids({ queue: 'p', key: 'k' }), await ids({ queue: 'p' })]).toEqual([[], ['1']]);
    expect(await send('3', { key: 'k' })).toBe(0);
  });

  it('is seen where it is, and nowhere else', async () => {
    const { send, backend } = await world();
    await send('1', { key: 'k', tid: 't' });
    await send('2');
    const { items } = (await backend.browse?.({ queue: 'q' }, { limit: 2 })) ?? {};
    expect(items?.[0]).toMatchObject({ key: 'k', tid: 't' });
    expect(Object.keys(items?.[1] ?? {})).not.toContain('key');
    expect(Object.keys(items?.[1] ?? {})).not.toContain('tid');
  });
});

describe('dropping a queue', () => {
  it('leaves the others and their bindings', async () => {
    const { backend, ids } = await world();
    await backend.bind(['q', 'p'].map((queue) => ({ queue, pattern: 'e', kind: 'work' })));
    await backend.drop('q');
    expect((await backend.bindings()).map(({ queue, pattern }) => `${queue} ${pattern}`)).toEqual([
      'p undefined',
      '$relay undefined',
      'p e',
    ]);
    await backend.unbind([{ queue: 'q', pattern: 'e', kind: 'work' }]);
    await backend.unbind([{ queue: 'p', kind: 'work' }]);
    await backend.send([{ to: { event: 'e' }, id: '1', name: 'e', sentAt: 0, at: 0, headers: {}, body: new Uint8Array() }]);
    expect([await ids({ queue: 'p' }), await ids({ queue: 'q' })]).toEqual([['1'], []]);
  });
});
