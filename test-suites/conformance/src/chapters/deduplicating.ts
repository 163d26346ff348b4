import assert from 'node:assert/strict';
import type { Deduplicated, Delivery } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { expectDone, expectIds, expectSame } from '../expect.ts';
import { dedupe } from '../needs.ts';

export const deduplicating: Chapter = {
  name: 'keys',
  cases: [
    it(
      'dedupe.same-key-once',
      'while an event of a key waits or is held in a queue, a further one stores nothing there',
      async (world) => {
        const backend = await world.open();
        const event = world.name('e');
        const queue = await world.queue(backend, 'q', event);
        const first = await world.send(backend, { to: { queue }, key: 'k' });
        const again = async (): Promise<readonly Deduplicated[]> =>
          (await backend.send([world.outgoing({ to: { queue }, key: 'k' })])).deduplicated;
        const waiting = await again();
        const tap = await world.consume(backend, queue);
        const held = [...(await world.arrive(tap, 1))];
        const instead = [{ index: 0, id: first, at: held[0]?.at }];
        expectSame(waiting, instead, 'deduplicated while it waits');
        expectSame(await again(), instead, 'deduplicated while it is held');
        await tap.ack(...held);
        expectSame(await again(), [], 'deduplicated after it is done');
        await world.arrive(tap, 2);
      },
      { needs: [dedupe] },
    ),
    it(
      'dedupe.per-queue',
      'a key counts in each queue by itself, and a move within the queue keeps it',
      async (world) => {
        const backend = await world.open();
        const event = world.name('e');
        const [a, b] = [await world.queue(backend, 'a', event), await world.queue(backend, 'b', event)];
        await world.send(backend, { to: { queue: a }, key: 'k' });
        const tapA = await world.consume(backend, a, { max: 1 });
        await tapA.move((await world.arrive(tapA, 1))[0] as Delivery, { at: backend.now() + 3_600_000 });
        const second = world.outgoing({ to: { event }, key: 'k' });
        expectSame(
          await backend.send([second]),
          { failures: [], deduplicated: [] },
          'what became of one that is stored in one of two queues',
        );
        const tapB = await world.consume(backend, b);
        await world.arrive(tapB, 1);
        expectSame(tapB.all[0]?.id, second.id, 'the id in the other queue');
        await world.fence(backend, tapA, 1);
      },
      { needs: [dedupe] },
    ),
    it(
      'dedupe.dropped-with-the-queue',
      'a move to another queue frees the key',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const parked = world.name('q.dead');
        await backend.bind([{ queue: parked, kind: 'parked' }]);
        await world.send(backend, { to: { queue }, key: 'k' });
        const tap = await world.consume(backend, queue);
        await tap.move((await world.arrive(tap, 1))[0] as Delivery, { queue: parked });
        expectSame(
          (await backend.send([world.outgoing({ to: { queue }, key: 'k' })])).deduplicated,
          [],
          'deduplicated after the key had left',
        );
        await world.arrive(tap, 2);
      },
      { needs: [dedupe] },
    ),
    it(
      'dedupe.meets-itself',
      'an event that is sent again while it is there is stored, not deduplicated, and comes once or twice',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const out = world.outgoing({ to: { queue }, key: 'k' });
        for (const time of ['first', 'second']) {
          const { failures, deduplicated } = await backend.send([out]);
          expectDone(failures, `the ${time} send`);
          assert.equal(deduplicated.length, 0, `the ${time} send of one event was said to be a duplicate`);
        }
        const tap = await world.consume(backend, queue);
        await world.until('the event', () => tap.all.length > 0);
        await world.fence(backend, tap, tap.all.length);
        assert.ok(tap.all.length <= 2, `it came ${tap.all.length} times`);
      },
      { needs: [dedupe] },
    ),
    it(
      'dedupe.races-ack',
      'an event with a key is stored or deduplicated, never neither, while others of that key come and go',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = (await world.consume(await world.open(), queue)).ackAll();
        const stored: string[] = [];
        for (let round = 0; round < world.span(150, 60); round++) {
          const out = world.outgoing({ to: { queue }, key: 'k' });
          const { failures, deduplicated } = await backend.send([out]);
          expectDone(failures, 'a send with a key');
          if (deduplicated.length === 0) stored.push(out.id);
        }
        await world.reach(stored.length, 'deliveries of what was stored', () => tap.all.length);
        expectIds(tap.ids, stored, 'what was stored');
      },
      { needs: [dedupe] },
    ),
    it(
      'dedupe.concurrent',
      'of many at once with one key one is stored, and the others say which',
      async (world) => {
        const [one, other] = [await world.open(), await world.open()];
        const queue = await world.queue(one, 'q');
        const out = Array.from({ length: 40 }, () => world.outgoing({ to: { queue }, key: 'k' }));
        const sent = await Promise.all(out.map((item, i) => (i % 2 ? one : other).send([item])));
        const instead = sent.flatMap(({ deduplicated }) => deduplicated.map(({ id }) => id));
        const tap = await world.consume(one, queue);
        await world.arrive(tap, 1);
        expectSame(new Set(instead), new Set(tap.ids), 'the ids that are there instead');
        expectSame(instead.length, 39, 'how many were deduplicated');
        await world.fence(one, tap, 1);
      },
      { needs: [dedupe] },
    ),
  ],
};
