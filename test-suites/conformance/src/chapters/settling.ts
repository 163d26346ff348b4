import type { Delivery } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { expectDone, expectFailed, expectIds, expectSame } from '../expect.ts';
import { moving } from './moving.ts';

export const settling: Chapter = {
  name: 'settling',
  cases: [
    it('ack.gone-for-good', 'an acked event never comes back, whatever time passes and whoever comes', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue, { leaseMs: world.leaseMs });
      await world.send(backend, { to: { queue } });
      expectDone(await tap.ack(...(await world.arrive(tap, 1))), 'the ack');
      await world.pass(world.span(120_000, 2 * world.leaseMs));
      await tap.consumer.stop();
      await backend.close();
      const again = await world.open();
      await world.fence(again, await world.consume(again, queue), 0);
    }),
    it('ack.only-the-named-one', 'acking the second of three leaves the first and the third', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      const ids = await world.sendMany(backend, 3, { to: { queue } });
      const all = await world.arrive(tap, 3);
      expectDone(await tap.ack(all.find(({ id }) => id === ids[1]) as Delivery), 'the ack');
      await backend.close();
      const again = await world.consume(await world.open(), queue);
      await world.arrive(again, 2);
      expectIds(again.ids, [ids[0], ids[2]], 'deliveries');
    }),
    it('ack.out-of-order', 'acks in any order each end their own event', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      await world.sendMany(backend, 5, { to: { queue } });
      const all = [...(await world.arrive(tap, 5))];
      for (const i of [4, 0, 2]) expectDone(await tap.ack(all[i] as Delivery), 'the ack');
      await backend.close();
      const again = await world.consume(await world.open(), queue);
      await world.arrive(again, 2);
      expectIds(again.ids, [all[1]?.id, all[3]?.id], 'deliveries');
    }),
    it('ack.twice-is-stale-and-harmless', 'a second ack is done or stale, and the consumer goes on', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      await world.sendMany(backend, 2, { to: { queue } });
      const [first, second] = [...(await world.arrive(tap, 2))] as [Delivery, Delivery];
      expectDone(await tap.ack(first), 'the ack');
      const failures = await tap.ack(first, second);
      for (const { index, error } of failures)
        expectSame([index, error.code], [0, 'stale'], 'the index and the code of a second ack');
      await world.fence(backend, tap, 2);
    }),
    it('settle.mixed-batch', 'each settlement of a batch has its own result', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      await world.sendMany(backend, 3, { to: { queue } });
      const [a, b, c] = [...(await world.arrive(tap, 3))] as [Delivery, Delivery, Delivery];
      const failures = await tap.settle([
        { d: a, do: 'ack' },
        { d: b, do: 'move', queue: world.name('never-declared'), at: 0, headers: {} },
        { d: c, do: 'move', queue, at: 0, headers: { moved: 'yes' } },
      ]);
      expectFailed(failures, { 1: 'invalid' }, 'a batch with one move to a queue that is not there');
      await world.arrive(tap, 4);
      expectSame([tap.all[3]?.id, { ...tap.all[3]?.headers }], [c.id, { moved: 'yes' }], 'what the move of the batch made');
    }),
    it('settle.from-another-consumer', 'a hand-out can be settled by its own consumer only', async (world) => {
      const [one, other] = [await world.open(), await world.open()];
      const queue = await world.queue(one, 'q');
      const tap = await world.consume(one, queue, { max: 1 });
      await world.send(one, { to: { queue } });
      const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
      const stranger = await world.consume(other, queue);
      const failures = await stranger.ack(delivery);
      expectFailed(failures, { 0: 'stale' }, 'the ack by a consumer that was not handed the event');
      await one.close();
      await world.arrive(stranger, 1);
    }),
    ...moving,
  ],
};
