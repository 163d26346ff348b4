import assert from 'node:assert/strict';
import type { Backend, Delivery } from 'wrkr/backend';
import type { Tap } from './tap.ts';
import type { World } from './world.ts';

/** The first delay may have to build what delays take, and what comes after it must not be late for that. */
export async function warmUp(world: World, backend: Backend): Promise<void> {
  const elsewhere = await world.queue(backend, 'warm-up');
  await world.send(backend, { to: { queue: elsewhere }, at: backend.now() + 1 });
}

/** A fence comes before it. Then the event comes, for the `nth` time, and not before its time by the backend's own clock. */
export async function comesAt(
  world: World,
  backend: Backend,
  tap: Tap,
  event: { id: string; at: number; nth: number },
): Promise<void> {
  const { id, at, nth } = event;
  const fence = await world.send(backend, { to: { queue: tap.queue } });
  await world.until('the fence event', () => tap.ids.includes(fence));
  await world.pass(Math.max(0, at - backend.now()));
  const came = (): readonly Delivery[] => tap.all.filter((one) => one.id === id);
  await world.until(`the event that is due (it came ${came().length} times of ${nth})`, () => came().length >= nth);
  const delivery = came()[nth - 1] as Delivery;
  const early = at - (tap.arrivedAt.get(delivery) ?? 0);
  assert.ok(early <= 0, `it came ${early} ms early`);
  assert.ok(delivery.at >= at, 'its due time is not the one that was asked for');
  await world.fence(backend, tap, nth + 1);
}
