import assert from 'node:assert/strict';
import type { Delivery } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { exactHandouts, seenHandouts, timedLease } from '../needs.ts';
import type { Tap } from '../tap.ts';
import type { World } from '../world.ts';

/** One event, held by a consumer that takes no other. */
async function heldByOne(world: World): Promise<{ queue: string; tap: Tap; delivery: Delivery; id: string }> {
  const backend = await world.open();
  const queue = await world.queue(backend, 'q');
  const tap = await world.consume(backend, queue, { max: 1, leaseMs: world.leaseMs });
  const id = await world.send(backend, { to: { queue } });
  const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
  tap.consumer.limit(0); // what is lost goes to others
  return { queue, tap, delivery, id };
}

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
        assert.deepEqual([...again.ids].sort(), [ids[1], ids[2]].sort());
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
          assert.equal(delivery?.handouts, handouts);
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
          const tap = await world.consume(backend, queue, { max: 12, leaseMs: world.leaseMs });
          await world.pass(round === 0 ? 0 : world.leaseOver);
          const most = round === 4 ? Number.POSITIVE_INFINITY : 6;
          for (let done = 0; done < most && acked.size < sent.size; done++) {
            await world.until('something to ack', () => tap.held.size > 0);
            const delivery = [...tap.held][0] as Delivery;
            assert.ok(sent.has(delivery.id), 'an event that was never sent');
            assert.ok(!acked.has(delivery.id), 'an event came back that was acked');
            assert.deepEqual(await tap.ack(delivery), []);
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
      'what is unsettled at close() is there for others at once, whatever its lease',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { leaseMs: 3_600_000 });
        const id = await world.send(backend, { to: { queue } });
        await world.arrive(tap, 1);
        await backend.close();
        const again = await world.consume(await world.open(), queue);
        await world.arrive(again, 1);
        assert.deepEqual(again.ids, [id]);
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
        assert.equal(delivery?.handouts, 2);
      },
      { needs: [seenHandouts] },
    ),
    it(
      'lease.expires-to-another',
      'a lease holds until its end, then another gets the event and the holder is told',
      async (world) => {
        const { queue, tap, delivery, id } = await heldByOne(world);
        const backend = await world.open();
        const other = await world.consume(backend, queue);
        await world.pass(world.leaseMs - world.span(1000, world.leaseMs / 2));
        await world.fence(backend, other, 0);
        await world.pass(world.span(1000, world.leaseMs / 2 + 1500));
        await world.arrive(other, 1);
        assert.deepEqual(other.ids, [id]);
        await world.until('lost() at the old holder', () => tap.losses.length > 0);
        assert.equal(tap.losses[0], delivery, 'lost() must be given the object that was delivered');
      },
      { needs: [timedLease] },
    ),
    it(
      'lease.stale-ack-cannot-kill-new-holder',
      'an ack that comes after the lease is stale, and the new holder still has the event',
      async (world) => {
        const { queue, tap, delivery } = await heldByOne(world);
        const other = await world.consume(await world.open(), queue, { leaseMs: world.leaseMs });
        await world.pass(world.leaseOver);
        const [again] = await world.arrive(other, 1);
        const failures = await tap.ack(delivery);
        assert.deepEqual(
          failures.map(({ index, error }) => [index, error.code]),
          [[0, 'stale']],
        );
        assert.deepEqual(await other.ack(again as Delivery), [], 'the new holder lost it to the stale ack');
      },
      { needs: [timedLease] },
    ),
    it(
      'lease.stale-ack-leaves-the-event',
      'an ack that comes after the lease does not end the event',
      async (world) => {
        const { queue, tap, delivery, id } = await heldByOne(world);
        await world.pass(world.leaseOver);
        await tap.ack(delivery);
        const other = await world.consume(await world.open(), queue);
        await world.until('the event again', () => other.ids.includes(id));
      },
      { needs: [timedLease] },
    ),
    it(
      'lease.extend-holds',
      'while it is extended in time nobody else gets the event, and it can be acked',
      async (world) => {
        const { queue, tap, delivery } = await heldByOne(world);
        const backend = await world.open();
        const other = await world.consume(backend, queue);
        for (let i = 0; i < 4; i++) {
          await world.pass(world.leaseMs * 0.6);
          assert.deepEqual(await tap.consumer.extend([delivery], world.leaseMs), []);
        }
        await world.fence(backend, other, 0);
        assert.deepEqual(await tap.ack(delivery), []);
      },
      { needs: [timedLease] },
    ),
    it(
      'lease.extend-after-loss-is-stale',
      'extending what is lost fails for that one only',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { leaseMs: world.leaseMs });
        await world.send(backend, { to: { queue } });
        const [lost] = (await world.arrive(tap, 1)) as [Delivery];
        const other = await world.consume(await world.open(), queue, { leaseMs: 60_000 });
        tap.consumer.limit(1);
        await world.pass(world.leaseOver);
        await world.until('it to be handed out again', () => tap.all.length + other.all.length === 2);
        tap.consumer.limit(5);
        other.consumer.limit(0);
        await world.send(backend, { to: { queue } });
        await world.until('one that is held', () => tap.all.length + other.all.length === 3);
        const fresh = tap.all.at(-1) as Delivery;
        const failures = await tap.consumer.extend([lost, fresh], world.leaseMs);
        assert.deepEqual(
          failures.map(({ index, error }) => [index, error.code]),
          [[0, 'stale']],
        );
      },
      { needs: [timedLease] },
    ),
    it(
      'lease.extend-then-expires',
      'an extension ends when it ends',
      async (world) => {
        const { queue, tap, delivery, id } = await heldByOne(world);
        const backend = await world.open();
        const other = await world.consume(backend, queue);
        await world.pass(world.leaseMs / 2);
        assert.deepEqual(await tap.consumer.extend([delivery], world.leaseMs), []);
        await world.pass(world.leaseMs - world.span(1, world.leaseMs * 0.4));
        await world.fence(backend, other, 0);
        await world.pass(world.span(1, world.leaseMs * 0.4 + 1500));
        await world.arrive(other, 1);
        assert.deepEqual(other.ids, [id]);
      },
      { needs: [timedLease] },
    ),
  ],
};
