import assert from 'node:assert/strict';
import type { Backend, Delivery, Ms } from 'wrkr/backend';
import { type Case, it } from '../case.ts';
import { expectDone, expectFailed, expectIds } from '../expect.ts';
import { connectionLease, timedLease } from '../needs.ts';
import type { Tap } from '../tap.ts';
import type { World } from '../world.ts';

/** What somebody holds, and another backend, which was opened before the lease began. */
interface Held {
  readonly queue: string;
  readonly tap: Tap;
  readonly delivery: Delivery;
  readonly id: string;
  readonly backend: Backend;
}

/** One event, held by a consumer that takes no other. */
async function heldByOne(world: World, leaseMs: Ms = world.leaseMs): Promise<Held> {
  const [holder, backend] = [await world.open(), await world.open()];
  const queue = await world.queue(holder, 'q');
  const tap = await world.consume(holder, queue, { max: 1, leaseMs });
  const id = await world.send(holder, { to: { queue } });
  const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
  tap.consumer.limit(0); // what is lost goes to others
  return { queue, tap, delivery, id, backend };
}

/** Where the server has the clock, answers have been on their way and clocks are not quite the same. */
function expectUntil(world: World, { leaseUntil }: Delivery, end: Ms): void {
  const slack = world.span(0, 5000);
  const late = leaseUntil - end;
  assert.ok(Math.abs(late) <= slack, `leaseUntil is ${late} ms after the end of the lease`);
}

export const leases: readonly Case[] = [
  it(
    'lease.expires-to-another',
    'a lease holds until its end, then another gets the event and the holder is told',
    async (world) => {
      const { queue, tap, delivery, id, backend } = await heldByOne(world);
      const other = await world.consume(backend, queue);
      await world.pass(world.leaseMs - world.span(1000, world.leaseMs / 2));
      await world.fence(backend, other, 0);
      await world.pass(world.span(1000, world.leaseMs / 2 + 1500));
      await world.arrive(other, 1);
      expectIds(other.ids, [id], 'deliveries');
      await world.until('lost() at the old holder', () => tap.losses.length > 0);
      assert.equal(tap.losses[0], delivery, 'lost() must be given the object that was delivered');
    },
    { needs: [timedLease] },
  ),
  it(
    'lease.stale-ack-cannot-kill-new-holder',
    'an ack that comes after the lease is stale, and the new holder still has the event',
    async (world) => {
      const { queue, tap, delivery, backend } = await heldByOne(world);
      const other = await world.consume(backend, queue);
      await world.pass(world.leaseOver);
      const [again] = await world.arrive(other, 1);
      const failures = await tap.ack(delivery);
      expectFailed(failures, { 0: 'stale' }, 'the ack of one who lost the lease');
      expectDone(await other.ack(again as Delivery), 'the ack of the new holder, after the stale one,');
    },
    { needs: [timedLease] },
  ),
  it(
    'lease.stale-ack-leaves-the-event',
    'an ack that comes after the lease, before another has the event, ends it or is stale and leaves it',
    async (world) => {
      const { queue, tap, delivery, id, backend } = await heldByOne(world);
      await world.pass(world.leaseOver);
      const failures = await tap.ack(delivery);
      const other = await world.consume(backend, queue);
      if (failures.length === 0) return world.fence(backend, other, 0);
      expectFailed(failures, { 0: 'stale' }, 'the late ack');
      return world.until('the event again', () => other.ids.includes(id));
    },
    { needs: [timedLease] },
  ),
  it(
    'lease.extend-holds',
    'while it is extended in time nobody else gets the event, and it can be acked',
    async (world) => {
      const { queue, tap, delivery, backend } = await heldByOne(world);
      const other = await world.consume(backend, queue);
      for (let i = 0; i < 4; i++) {
        await world.pass(world.leaseMs * 0.6);
        expectDone(await tap.consumer.extend([delivery], world.leaseMs), 'the extension');
      }
      await world.fence(backend, other, 0);
      expectDone(await tap.ack(delivery), 'the ack');
    },
    { needs: [timedLease] },
  ),
  it(
    'lease.extend-after-loss-is-stale',
    'extending what is lost fails for that one only',
    async (world) => {
      const { queue, tap, delivery: lost, backend } = await heldByOne(world);
      const other = await world.consume(backend, queue);
      await world.pass(world.leaseOver);
      const [again] = await world.arrive(other, 1);
      await other.consumer.stop();
      tap.consumer.limit(5);
      await world.send(backend, { to: { queue } });
      const [, fresh] = (await world.arrive(tap, 2)) as [Delivery, Delivery];
      assert.equal(again?.id, lost.id, 'another event came than the one whose lease was over');
      const failures = await tap.consumer.extend([lost, fresh], world.leaseMs);
      expectFailed(failures, { 0: 'stale' }, 'extending what is lost and what is held');
    },
    { needs: [timedLease] },
  ),
  it(
    'lease.extend-then-expires',
    'an extension ends when it ends',
    async (world) => {
      const { queue, tap, delivery, id, backend } = await heldByOne(world);
      const other = await world.consume(backend, queue);
      await world.pass(world.leaseMs / 2);
      expectDone(await tap.consumer.extend([delivery], world.leaseMs), 'the extension');
      await world.pass(world.leaseMs - world.span(1, world.leaseMs * 0.4));
      await world.fence(backend, other, 0);
      await world.pass(world.span(1, world.leaseMs * 0.4 + 1500));
      await world.arrive(other, 1);
      expectIds(other.ids, [id], 'deliveries');
    },
    { needs: [timedLease] },
  ),
  it(
    'lease.until-is-its-end',
    'a delivery says until when it is held, and an extension updates that',
    async (world) => {
      const { tap, delivery, backend } = await heldByOne(world, 60_000);
      expectUntil(world, delivery, backend.now() + 60_000);
      expectDone(await tap.consumer.extend([delivery], 120_000), 'the extension');
      expectUntil(world, delivery, backend.now() + 120_000);
    },
    { needs: [timedLease] },
  ),
  it(
    'lease.until-the-connection-ends',
    'a delivery that is held as long as its connection lasts has no other end',
    async (world) => {
      const { delivery } = await heldByOne(world);
      assert.equal(delivery.leaseUntil, Number.POSITIVE_INFINITY, `leaseUntil is ${delivery.leaseUntil}, not Infinity`);
    },
    { needs: [connectionLease] },
  ),
];
