import assert from 'node:assert/strict';
import type { Delivery } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { expectDone, expectIds, expectSame } from '../expect.ts';
import { exactHandouts, seenHandouts } from '../needs.ts';
import { leases } from './leasing.ts';

export const losing: Chapter = {
  name: 'crashes and leases',
  cases: [
    it(
      'crash.unsettled-come-back',
      'what a dead process held comes back, and what it had acked does not',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { leaseMs: world.leaseMs });
        const ids = await world.sendMany(backend, 3, { to: { queue } });
        await tap.ack((await world.arrive(tap, 3)).find(({ id }) => id === ids[0]) as Delivery);
        await world.crash(backend);
        const again = await world.consume(await world.open(), queue);
        await world.pass(world.leaseOver);
        await world.arrive(again, 2);
        expectIds(again.ids, [ids[1], ids[2]], 'deliveries');
      },
      { hooks: ['crash'] },
    ),
    it(
      'crash.handouts-are-counted',
      'each hand-out that ended with a crash is counted',
      async (world) => {
        let backend = await world.open();
        const queue = await world.queue(backend, 'q');
        await world.send(backend, { to: { queue } });
        for (let handouts = 1; handouts <= 3; handouts++) {
          const tap = await world.consume(backend, queue, { leaseMs: world.leaseMs });
          const [delivery] = await world.arrive(tap, 1);
          expectSame(delivery?.handouts, handouts, 'the hand-outs after crashes');
          await world.crash(backend);
          await world.pass(world.leaseOver);
          backend = await world.open();
        }
      },
      { needs: [exactHandouts], hooks: ['crash'] },
    ),
    it(
      'crash.nothing-lost-nothing-invented',
      'over four crashes every event is acked in the end, and none after it was acked',
      async (world) => {
        const first = await world.open();
        const queue = await world.queue(first, 'q');
        const sent = new Set(await world.sendMany(first, 40, { to: { queue } }));
        const acked = new Set<string>();
        for (let round = 0; round < 5; round++) {
          const backend = round === 0 ? first : await world.open();
          await world.pass(round === 0 ? 0 : world.leaseOver);
          const tap = await world.consume(backend, queue, { max: 12, ...(round < 4 && { leaseMs: world.leaseMs }) });
          const most = round === 4 ? Number.POSITIVE_INFINITY : 6;
          for (let done = 0; done < most && acked.size < sent.size; done++) {
            await world.until('something to ack', () => tap.held.size > 0);
            const delivery = [...tap.held][0] as Delivery;
            assert.ok(sent.has(delivery.id), 'an event that was never sent');
            assert.ok(!acked.has(delivery.id), 'an event came back that was acked');
            expectDone(await tap.ack(delivery), 'the ack');
            acked.add(delivery.id);
          }
          if (round < 4) await world.crash(backend);
        }
        assert.equal(acked.size, sent.size, 'an event was lost');
      },
      { hooks: ['crash'] },
    ),
    it(
      'close.gives-back-at-once',
      'what is unsettled at close() is there for others at once, whatever its lease, and lost() says nothing of it',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { leaseMs: 3_600_000 });
        const id = await world.send(backend, { to: { queue } });
        await world.arrive(tap, 1);
        await backend.close();
        const again = await world.consume(await world.open(), queue);
        await world.arrive(again, 1);
        assert.equal(tap.losses.length, 0, 'lost() was called after close()');
        expectIds(again.ids, [id], 'deliveries');
      },
    ),
    it(
      'close.given-back-are-counted',
      'what close() gave back is known to have been handed out',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue);
        await world.send(backend, { to: { queue } });
        await world.arrive(tap, 1);
        await backend.close();
        const [delivery] = await world.arrive(await world.consume(await world.open(), queue), 1);
        expectSame(delivery?.handouts, 2, 'the hand-outs after close()');
      },
      { needs: [seenHandouts] },
    ),
    ...leases,
  ],
};
