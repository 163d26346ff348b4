import assert from 'node:assert/strict';
import type { Backend } from 'wrkr/backend';
import { type Chapter, itInCore } from '../case.ts';
import { expectIds, expectSame } from '../expect.ts';
import { browses, cancels, change, delay, filterBy, parks, virtualTime } from '../needs.ts';

/** The same backend, declaring that it can wait no longer than this. */
function shortened(backend: Backend, maxMs: number): Backend {
  const { capabilities } = backend;
  const delayed = capabilities.delay && { ...capabilities.delay, maxMs };
  Object.defineProperty(backend, 'capabilities', { value: { ...capabilities, delay: delayed } });
  return backend;
}

export const coreScheduling: Chapter = {
  name: 'core: scheduling',
  cases: [
    itInCore(
      'delay.publish-fans-out-when-due',
      'the subscribers of a delayed event are those that there are when it falls due',
      async (world) => {
        const event = world.name('e');
        const [early, late, gone] = [world.name('early'), world.name('late'), world.name('gone')];
        const seen: string[] = [];
        const handler = (got: { queue: string }): unknown => seen.push(got.queue);
        const wrkr = await world.started(async (bus) => {
          await bus.subscribe(early, event, handler);
          await bus.subscribe(gone, event, handler);
        });
        const wait = world.span(7 * 86_400_000, 2500);
        await wrkr.publish({ name: event, when: wait });
        await wrkr.subscribe(late, event, handler);
        await wrkr.unsubscribe(gone, event);
        expectSame(seen, [], 'what was handled before it was due');
        await world.pass(wait);
        await world.until('the two that are subscribed', () => seen.length >= 2);
        await wrkr.publish({ name: event });
        await world.until('the fence', () => seen.length >= 4);
        expectSame([...seen].sort(), [early, early, late, late], 'the queues that got the event');
      },
      { needs: [delay] },
    ),
    itInCore(
      'cancel.delayed-publish',
      'a delayed event that was cancelled by its receipt reaches nobody',
      async (world) => {
        const event = world.name('e');
        const seen: unknown[] = [];
        const wrkr = await world.started((bus) => bus.subscribe(world.name('q'), event, (got) => seen.push(got.payload)));
        await wrkr.publish({ name: world.name('warm-up'), when: 1 }); // the first delay may have to build what delays take
        const wait = world.span(86_400_000, 2000);
        const receipt = await wrkr.publish({ name: event, payload: 'cancelled', when: wait });
        await wrkr.publish({ name: event, payload: 'fence', when: wait + 200 });
        const count = await wrkr.cancel(receipt);
        assert.ok(count === 1 || count === null, `cancel gave ${count}`);
        await world.pass(wait + 200);
        await world.until('the fence', () => seen.length > 0);
        expectSame(seen, ['fence'], 'the payloads that were handled');
      },
      { needs: [delay, cancels, filterBy('id')] },
    ),
    itInCore(
      'relay.row-is-one',
      'a delayed event is one stored row until it is due, however many queues there are',
      async (world) => {
        const event = world.name('e');
        const wrkr = await world.started(async (bus) => {
          for (const word of ['a', 'b', 'c']) await bus.subscribe(world.name(word), event, () => {});
        });
        const { id } = await wrkr.publish({ name: event, when: 60_000 });
        const { items } = await wrkr.find({ id });
        expectSame(
          items.map((item) => [item.id, item.name, item.queue]),
          [[id, event, undefined]],
          'the rows of the delayed event',
        );
      },
      { needs: [parks, browses] },
    ),
    itInCore(
      'schedule.reschedule-never-loses',
      'events that are given another time while they fall due are handled once each',
      async (world) => {
        const event = world.name('e');
        const handled: string[] = [];
        const wrkr = await world.started((bus) => bus.subscribe(world.name('q'), event, ({ id }) => handled.push(id)));
        const unit = world.span(1000, 500);
        const ids = Array.from({ length: 30 }, (_, i) => world.name(`id-${i}`));
        await wrkr.publish(ids.map((id, i) => ({ name: event, id, when: unit + i * 10 })));
        const counts = ids.map(async (id) => wrkr.reschedule({ id }, 2 * unit));
        await Promise.all([...counts, world.pass(unit + 150)]);
        for (const id of ids) await wrkr.reschedule({ id }, unit);
        await world.pass(3 * unit);
        await world.until('all of them', () => new Set(handled).size >= ids.length);
        await wrkr.publish({ name: event, id: world.name('fence') });
        await world.until('the fence', () => handled.includes(world.name('fence')));
        expectIds(handled, [...ids, world.name('fence')], 'deliveries');
      },
      { needs: [delay, change, filterBy('id')] },
    ),
    itInCore(
      'delay.beyond-max-hops',
      'what is to wait longer than the backend can waits in several steps, and comes once, on time',
      async (world) => {
        const event = world.name('e');
        const most = 3_600_000;
        const handled: number[] = [];
        const backend = shortened(await world.create(), most);
        const wrkr = await world.started((bus) => bus.subscribe(world.name('q'), event, () => handled.push(world.clock.now())), {
          backend,
        });
        const due = world.clock.now() + 5 * most;
        await wrkr.publish({ name: event, when: new Date(due) });
        await world.pass(6 * most);
        await world.until('the event', () => handled.length > 0);
        expectSame(handled, [due], 'the times at which it was handled');
      },
      { needs: [parks, virtualTime] },
    ),
  ],
};
