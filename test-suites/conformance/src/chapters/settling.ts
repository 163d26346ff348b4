import type { Delivery } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { expectDone, expectFailed, expectIds, expectSame } from '../expect.ts';

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
      expectFailed(failures, { 1: 'invalid' }, 'the settlement');
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
      expectFailed(failures, { 0: 'stale' }, 'the settlement');
      await one.close();
      await world.arrive(stranger, 1);
    }),
    it('move.now-redelivers', 'a moved event comes again: the same event with new headers', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      const body = new Uint8Array([9, 8, 7]);
      const id = await world.send(backend, { to: { queue }, tid: 't', body, headers: { old: '1' } });
      const [first] = (await world.arrive(tap, 1)) as [Delivery];
      expectDone(await tap.move(first, { headers: { new: '2' } }), 'the move');
      const second = (await world.arrive(tap, 2))[1] as Delivery;
      expectSame(
        [second.id, second.name, second.tid, second.sentAt],
        [id, first.name, 't', first.sentAt],
        'the id, name, tid and sentAt after the move',
      );
      expectSame(Uint8Array.from(second.body), body, 'the body after the move');
      expectSame({ ...second.headers }, { new: '2' }, 'the headers after the move');
      await world.fence(backend, tap, 2);
    }),
    it('move.resets-handouts', 'hand-outs are counted anew after a move', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      await world.send(backend, { to: { queue } });
      for (let i = 1; i <= 3; i++) {
        const delivery = (await world.arrive(tap, i))[i - 1] as Delivery;
        expectSame(delivery.handouts, 1, 'the hand-outs after a move');
        await tap.move(delivery);
      }
    }),
    it('move.many-times', 'an event can be moved as often as it takes', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      const id = await world.send(backend, { to: { queue } });
      for (let i = 1; i <= 40; i++) expectDone(await tap.move((await world.arrive(tap, i))[i - 1] as Delivery), 'the move');
      await world.arrive(tap, 41);
      expectSame(tap.all[40]?.id, id, 'the id after 40 moves');
    }),
    it('move.stays-in-its-queue', 'other queues see nothing of a move', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      const a = await world.queue(backend, 'a', event);
      const b = await world.queue(backend, 'b', event);
      await world.send(backend, { to: { event } });
      const tapA = await world.consume(backend, a);
      await tapA.move((await world.arrive(tapA, 1))[0] as Delivery);
      await world.arrive(tapA, 2);
      const tapB = await world.consume(backend, b);
      await world.arrive(tapB, 1);
      await world.fence(backend, tapB, 1);
    }),
    it('move.to-other-queue-leaves-none-behind', 'a move to another queue puts one copy there and leaves none', async (world) => {
      const backend = await world.open();
      const source = await world.queue(backend, 'source');
      const target = world.name('target.dead');
      await backend.bind([{ queue: target, kind: 'parked' }]);
      const tap = await world.consume(backend, source);
      const id = await world.send(backend, { to: { queue: source } });
      expectDone(
        await tap.move((await world.arrive(tap, 1))[0] as Delivery, { queue: target, headers: { why: 'x' } }),
        'the move',
      );
      const other = await world.consume(backend, target, { kind: 'parked' });
      const [moved] = (await world.arrive(other, 1)) as [Delivery];
      expectSame(
        [moved.id, moved.queue, { ...moved.headers }, moved.handouts],
        [id, target, { why: 'x' }, 1],
        'the id, queue, headers and hand-outs after the move',
      );
      await world.fence(backend, tap, 1);
    }),
    it(
      'move.to-missing-queue-keeps-the-original',
      'a move to a queue that was never declared is invalid, and the event is still there',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue);
        const id = await world.send(backend, { to: { queue } });
        const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
        const failures = await tap.move(delivery, { queue: world.name('never-declared') });
        expectFailed(failures, { 0: 'invalid' }, 'the settlement');
        expectDone(await tap.move(delivery), 'a move of the original after the refusal');
        await world.arrive(tap, 2);
        expectSame(tap.all[1]?.id, id, 'the id after the refused move');
      },
    ),
    it('move.same-id-twice-in-one-queue', 'two events of one id can lie in one parked queue', async (world) => {
      const backend = await world.open();
      const [a, b] = [await world.queue(backend, 'a'), await world.queue(backend, 'b')];
      const parked = world.name('p.dead');
      await backend.bind([{ queue: parked, kind: 'parked' }]);
      const id = await world.send(backend, { to: { queue: a } });
      await world.send(backend, { to: { queue: b }, id });
      for (const queue of [a, b]) {
        const tap = await world.consume(backend, queue);
        expectDone(await tap.move((await world.arrive(tap, 1))[0] as Delivery, { queue: parked }), 'the move');
      }
      const tap = await world.consume(backend, parked, { kind: 'parked' });
      await world.arrive(tap, 2);
      expectSame(tap.ids, [id, id], 'the ids in the parked queue');
    }),
  ],
};
