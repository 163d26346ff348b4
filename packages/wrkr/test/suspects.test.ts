import { Broker, MemoryBackend } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import { describe, expect, it } from 'vitest';
import type { Delivery } from 'wrkr/backend';
import { gate, type Setup, setup } from './setup.ts';

interface Ruins extends Setup {
  readonly broker: Broker;
  /** Tids of events in the order in which they began; what is `slow` runs until its gate is opened. */
  readonly begun: unknown[];
  readonly slow: Map<string, ReturnType<typeof gate>>;
}

const openOn = async (broker: Broker, clock: VirtualClock): Promise<MemoryBackend> => {
  const backend = new MemoryBackend({ broker });
  await backend.open({ clock, log: () => {}, onState: () => {} });
  return backend;
};

/** A process takes all there is in `team`, gives back what is spared, and dies with the rest. */
async function die(broker: Broker, clock: VirtualClock, isSpared: (tid: string | undefined) => boolean): Promise<void> {
  const backend = await openOn(broker, clock);
  const taken: Delivery[] = [];
  const sink = { deliver: (batch: readonly Delivery[]) => void taken.push(...batch), lost: () => {} };
  const consumer = await backend.consume('team', sink, { max: 100, leaseMs: 1000, kind: 'work' });
  await clock.settle();
  consumer.limit(0);
  const spared = taken.filter(({ tid }) => isSpared(tid));
  await consumer.settle(spared.map((d) => ({ do: 'move', d, queue: 'team', at: d.at, headers: d.headers })));
  backend.crash();
  await clock.advance(1001);
}

/** A process that takes these queues, and runs what has this tid until its gate is opened. */
async function serving(queues: readonly string[], broker: Broker, clock: VirtualClock, tid = 'busy'): Promise<Ruins> {
  const world = setup({ clock, backend: new MemoryBackend({ broker }) });
  const begun: unknown[] = [];
  const slow = new Map([[tid, gate()]]);
  const run = async ({ tid = '' }: { tid: string | undefined }): Promise<void> => {
    begun.push(tid);
    await slow.get(tid)?.opened;
  };
  for (const queue of queues) await world.wrkr.subscribe(queue, queue, run, { concurrency: 4 });
  await world.wrkr.start();
  await clock.settle();
  return { ...world, broker, begun, slow };
}

/** A process that runs `busy` when it is handed events, oldest first, that so many dead ones held. */
async function haunted(deaths: Readonly<Record<string, number>>): Promise<Ruins> {
  const broker = new Broker();
  const clock = new VirtualClock({ patience: 5 });
  const publisher = await openOn(broker, clock);
  const send = (queue: string, tid: string): Promise<unknown> => {
    const event = { id: tid, tid, name: queue, sentAt: clock.now(), at: 0, headers: {}, body: new Uint8Array() };
    broker.bind({ queue, kind: 'work' });
    return publisher.send([{ to: { queue }, ...event }]);
  };
  await send('busy', 'busy');
  for (const tid of Object.keys(deaths)) {
    await send('team', tid);
    await clock.advance(1); // so that each has its place by when it was due
  }
  const most = Math.max(...Object.values(deaths));
  for (let left = most; left > 0; left--) await die(broker, clock, (tid = '') => (deaths[tid] ?? 0) < left);
  return serving(['busy', 'team', 'late'], broker, clock);
}

describe('an event whose processes died', () => {
  it('waits for the handlers that run, then runs alone, and then all goes on', async () => {
    const { wrkr, clock, begun, slow, logged } = await haunted({ suspect: 2 });
    slow.set('suspect', gate());
    expect(begun).toEqual(['busy']);
    expect(logged).toEqual([expect.stringContaining("2 processes ended while they held 'team' from 'team'")]);
    await wrkr.publish({ name: 'team', tid: 'innocent' });
    await clock.settle();
    expect(begun).toEqual(['busy']);
    slow.get('busy')?.open();
    await clock.settle();
    expect(begun).toEqual(['busy', 'suspect']);
    await wrkr.publish(['busy', 'late'].map((name) => ({ name, tid: `in ${name}` })));
    await clock.settle();
    expect(begun).toEqual(['busy', 'suspect']);
    slow.get('suspect')?.open();
    await clock.settle();
    expect(begun.slice(2).sort()).toEqual(['in busy', 'in late', 'innocent']);
  });

  it('is not suspected after one death', async () => {
    const { begun, logged } = await haunted({ unlucky: 1 });
    expect([[...begun].sort(), logged]).toEqual([['busy', 'unlucky'], []]);
  });

  it.each([
    ['that has seen most deaths', { few: 2, many: 4, some: 3 }, 'many'],
    ['that has seen most deaths, also if it came first', { many: 3, few: 2 }, 'many'],
    ['that came first among equals', { first: 2, second: 2 }, 'first'],
  ])('is, of several, the one %s; the others are no longer suspected', async (_, deaths, chosen) => {
    const { clock, begun, slow, logged } = await haunted(deaths);
    slow.set(chosen, gate());
    slow.get('busy')?.open();
    await clock.settle();
    expect(begun).toEqual(['busy', chosen]);
    slow.get(chosen)?.open();
    await clock.settle();
    expect([...begun].sort()).toEqual(['busy', ...Object.keys(deaths)].sort());
    expect(logged).toHaveLength(1);
  });

  it('is left to others if the bus stops before it has begun, and they do not suspect it', async () => {
    const { wrkr, clock, broker, begun, slow } = await haunted({ suspect: 2 });
    const stopped = wrkr.stop();
    await clock.settle();
    slow.get('busy')?.open();
    await stopped;
    expect(begun).toEqual(['busy']);
    const next = await serving(['team'], broker, clock);
    expect([next.begun, next.logged]).toEqual([['suspect'], []]);
  });

  it('is not meant by a stop() that cut its handler off, however often', async () => {
    const broker = new Broker();
    const clock = new VirtualClock({ patience: 5 });
    for (let i = 0; i < 4; i++) {
      const { wrkr, begun, logged } = await serving(['team'], broker, clock, 'long');
      if (i === 0) await wrkr.publish({ name: 'team', tid: 'long' });
      await clock.settle();
      expect([begun, logged]).toEqual([['long'], []]);
      await Promise.all([wrkr.stop({ timeout: 1000 }), clock.advance(1000)]);
    }
  });

  it('is not run again after 25 of them, but among the dead letters', async () => {
    const { wrkr, begun, logged } = await haunted({ killer: 25 });
    expect(begun).toEqual(['busy']);
    const { items } = await wrkr.deadLetters({ queue: 'team' });
    const message = 'crashed: its process died 25 times while it ran, so it is not run again';
    expect(items).toMatchObject([{ tid: 'killer', attempts: 0, error: { code: 'WRKR_CRASHED', message } }]);
    expect(logged.join()).not.toContain('runs alone');
  });

  it('has a last chance before that', async () => {
    const { clock, begun, slow } = await haunted({ killer: 24 });
    slow.get('busy')?.open();
    await clock.settle();
    expect(begun).toEqual(['busy', 'killer']);
  });
});
