import { expect, it } from 'vitest';
import { type Delivery, type Outgoing, SystemClock } from 'wrkr/backend';
import { MemoryBackend } from '../src/index.ts';

const out = (id: string): Outgoing => ({
  to: { queue: '$relay' },
  id,
  name: 'e',
  sentAt: 0,
  at: 0,
  key: 'k',
  headers: {},
  body: new Uint8Array(0),
});

it('in $relay a key counts until its event is handed out for the first time, and not again when that comes back', async () => {
  const backend = new MemoryBackend();
  await backend.open({ clock: new SystemClock(), log: () => {}, onState: () => {} });
  await backend.bind([{ queue: '$relay', kind: 'work' }]);
  await backend.send([out('first')]);
  expect((await backend.send([out('second')])).deduplicated).toMatchObject([{ index: 0, id: 'first' }]);
  const handed: Delivery[] = [];
  const sink = { deliver: (batch: readonly Delivery[]) => void handed.push(...batch), lost: () => {} };
  const consumer = await backend.consume('$relay', sink, { max: 1, leaseMs: 60_000, kind: 'work' });
  await expect.poll(() => handed.length).toBe(1);
  expect((await backend.send([out('third')])).deduplicated).toEqual([]);
  consumer.limit(0);
  await consumer.settle([{ d: handed[0] as Delivery, do: 'move', queue: '$relay', at: 0, headers: {} }]);
  expect((await backend.send([out('fourth')])).deduplicated).toMatchObject([{ index: 0, id: 'third' }]);
  await backend.close();
});
