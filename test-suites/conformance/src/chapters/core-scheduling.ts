import assert from 'node:assert/strict';
import { type Chapter, itInCore } from '../case.ts';
import { browses, cancels, delay, filterBy, parks } from '../needs.ts';

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
        assert.deepEqual(seen, []);
        await world.pass(wait);
        await world.until('the two that are subscribed', () => seen.length >= 2);
        await wrkr.publish({ name: event });
        await world.until('the fence', () => seen.length >= 4);
        assert.deepEqual([...seen].sort(), [early, early, late, late]);
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
        assert.deepEqual(seen, ['fence']);
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
        assert.deepEqual(
          items.map((item) => [item.id, item.name, item.queue]),
          [[id, event, undefined]],
        );
      },
      { needs: [parks, browses] },
    ),
  ],
};
