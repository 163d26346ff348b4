import assert from 'node:assert/strict';
import { type Chapter, it } from '../case.ts';
import { expectDone, expectIds, expectSame } from '../expect.ts';
import { fifo } from '../needs.ts';

export const consuming: Chapter = {
  name: 'consuming',
  cases: [
    it(
      'compete.each-event-to-one-consumer',
      'consumers of one queue share its events, each event for one of them',
      async (world) => {
        const [a, b] = [await world.open(), await world.open()];
        const queue = await world.queue(a, 'q');
        const taps = [await world.consume(a, queue, { max: 5 }), await world.consume(b, queue, { max: 5 })];
        for (const tap of taps) tap.ackAll();
        const ids = await world.sendMany(a, 60, { to: { queue } });
        const seen = (): readonly string[] => taps.flatMap((tap) => tap.ids);
        await world.reach(60, 'deliveries', () => seen().length);
        expectIds(seen(), ids, 'deliveries');
        for (const tap of taps) assert.ok(tap.all.length > 0, 'one of the consumers got nothing');
      },
    ),
    it('compete.idle-consumer-takes-over', 'while one consumer is full, the other gets what comes', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const taps = [await world.consume(backend, queue, { max: 1 }), await world.consume(await world.open(), queue, { max: 1 })];
      await world.sendMany(backend, 2, { to: { queue } });
      await world.until('one event at each', () => taps.every((tap) => tap.all.length === 1));
    }),
    it('compete.stuck-does-not-starve', 'a consumer that never settles does not keep the others from the rest', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      await world.consume(backend, queue, { max: 1 });
      const healthy = await world.consume(await world.open(), queue, { max: 3 });
      healthy.ackAll();
      await world.sendMany(backend, 40, { to: { queue } });
      await world.reach(39, 'of 40 events at the healthy one', () => healthy.all.length);
    }),
    it('compete.queues-do-not-mix', 'each consumer gets the events of its own queue', async (world) => {
      const backend = await world.open();
      for (const word of ['a', 'b', 'c', 'd', 'e']) {
        const queue = await world.queue(backend, word);
        const tap = await world.consume(backend, queue);
        const id = await world.send(backend, { to: { queue } });
        await world.arrive(tap, 1);
        expectIds(tap.ids, [id], 'deliveries');
      }
    }),
    it('compete.late-joiner-gets-work', 'a consumer that joins later gets its share of what is left', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const first = await world.consume(backend, queue, { max: 2 });
      const ids = await world.sendMany(backend, 40, { to: { queue } });
      await world.until('two at the first', () => first.held.size === 2);
      const late = await world.consume(await world.open(), queue, { max: 2 });
      await world.until('two at the one that joined', () => late.held.size === 2);
      for (const tap of [first, late]) tap.ackAll();
      await world.reach(40, 'deliveries at both', () => first.all.length + late.all.length);
      expectSame([...first.ids, ...late.ids].sort(), [...ids].sort(), 'deliveries at both');
    }),
    it('limit.never-more-than-max', 'never more than max are out unsettled, and all of max is used', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue, { max: 3 });
      await world.sendMany(backend, 12, { to: { queue } });
      while (tap.all.length < 12 || tap.held.size > 0) {
        const before = tap.all.length;
        const room = Math.min(3, 12 - before + tap.held.size);
        await world.until(`${room} held (there are ${tap.held.size}, after ${before})`, () => tap.held.size === room);
        await tap.ack([...tap.held][0] as never);
      }
      assert.equal(tap.peak, 3, `${tap.peak} were held at once, of 3 allowed`);
    }),
    it('limit.holds-across-redelivery', 'events that come again count like those that come first', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue, { max: 2 });
      await world.sendMany(backend, 4, { to: { queue } });
      for (let i = 0; i < 20; i++) {
        await world.until('two held', () => tap.held.size === 2);
        await tap.move([...tap.held][0] as never);
      }
      assert.equal(tap.peak, 2, `${tap.peak} were held at once, of 2 allowed`);
    }),
    it('limit.zero-pauses-and-resumes', 'limit(0) pauses, limit(1) goes on', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue, { max: 5 });
      tap.consumer.limit(0);
      await world.pass(world.span(1000, 100)); // where a server has to be told
      const other = await world.consume(backend, await world.queue(backend, 'other'));
      await world.send(backend, { to: { queue } });
      await world.fence(backend, other, 0);
      assert.equal(tap.all.length, 0, 'it delivered while it was paused');
      tap.consumer.limit(1);
      await world.arrive(tap, 1);
    }),
    it(
      'limit.lowering-takes-effect',
      'a lowered limit takes nothing back and lets no more out, and all come in the end',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 4 });
        const ids = await world.sendMany(backend, 10, { to: { queue } });
        await world.until('four held', () => tap.held.size === 4);
        tap.consumer.limit(1);
        await world.pass(world.span(0, 100));
        for (let left = 10; left > 0; left--) {
          await world.until('one held at least', () => tap.held.size > 0);
          assert.ok(tap.held.size <= Math.max(1, left - 6), `${tap.held.size} held, ${10 - left} settled`);
          await tap.ack([...tap.held][0] as never);
        }
        expectIds(tap.ids, ids, 'deliveries');
      },
    ),
    it('limit.raising-takes-effect', 'a raised limit is used without a settlement', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue, { max: 1 });
      await world.sendMany(backend, 6, { to: { queue } });
      await world.until('one held', () => tap.held.size === 1);
      tap.consumer.limit(4);
      await world.until('four held', () => tap.held.size === 4);
    }),
    it(
      'order.fifo-single-consumer',
      'one consumer at max 1 gets events in the order of publishing',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 1 });
        tap.ackAll();
        const ids: string[] = [];
        for (let i = 0; i < 5; i++) {
          const batch = Array.from({ length: 10 }, () => world.outgoing({ to: { queue } }));
          await backend.send(batch);
          ids.push(...batch.map(({ id }) => id));
        }
        await world.arrive(tap, 50);
        expectSame(tap.ids, ids, 'the order of deliveries');
      },
      { needs: [fifo] },
    ),
    it('stop.no-delivery-after-resolve', 'once stop() has resolved nothing more is delivered', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      await world.send(backend, { to: { queue } });
      await world.arrive(tap, 1);
      const sends = Array.from({ length: 5 }, () => world.sendMany(backend, 20, { to: { queue } }));
      await tap.consumer.stop();
      const count = tap.all.length;
      await Promise.all(sends);
      await tap.ack(...tap.held);
      await world.send(backend, { to: { queue } });
      const next = (await world.consume(await world.open(), queue)).ackAll();
      await world.reach(102 - count, 'events left for another consumer', () => next.all.length);
      assert.equal(tap.all.length, count, 'it delivered after stop()');
    }),
    it('stop.held-still-settleable', 'what was out at stop() can be settled afterwards', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      await world.send(backend, { to: { queue } });
      const held = await world.arrive(tap, 1);
      await tap.consumer.stop();
      expectDone(await tap.ack(...held), 'the ack');
      await backend.close();
      const again = await world.open();
      await world.fence(again, await world.consume(again, queue), 0);
    }),
    it('restart.same-queue-works', 'a queue can be consumed again by the same backend after stop()', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const first = await world.consume(backend, queue);
      await first.consumer.stop();
      const id = await world.send(backend, { to: { queue } });
      const second = await world.consume(backend, queue);
      await world.arrive(second, 1);
      expectIds(second.ids, [id], 'deliveries');
    }),
  ],
};
