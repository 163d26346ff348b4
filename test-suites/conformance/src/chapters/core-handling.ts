import assert from 'node:assert/strict';
import { type Chapter, itInCore } from '../case.ts';
import { delay } from '../needs.ts';

export const coreHandling: Chapter = {
  name: 'core: handling',
  cases: [
    itInCore('core.publish-handle-ack', 'what is published is handled by each queue once, and then gone', async (world) => {
      const event = world.name('user.added');
      const seen: string[] = [];
      const wrkr = await world.started(async (bus) => {
        await bus.subscribe(world.name('a'), event, (got) => seen.push(`a ${got.tid} ${JSON.stringify(got.payload)}`));
        await bus.subscribe(world.name('b'), world.name('user.*'), (got) => seen.push(`b ${got.tid} ${got.attempt}`));
      });
      await wrkr.publish({ name: event, tid: 'u1', payload: { plan: 'pro' } });
      await world.until('both handlers', () => seen.length === 2);
      assert.deepEqual(seen.sort(), ['a u1 {"plan":"pro"}', 'b u1 1']);
      await wrkr.stop();
      const again = await world.open();
      await world.fence(again, await world.consume(again, world.name('a')), 0);
    }),
    itInCore(
      'followup.ids-do-not-collide-across-queues',
      'two queues that each publish the same follow-up of one event get both',
      async (world) => {
        const [event, next] = [world.name('e'), world.name('next')];
        const got: string[] = [];
        const wrkr = await world.started(async (bus) => {
          for (const word of ['a', 'b']) {
            await bus.subscribe(world.name(word), event, (_, ack, { followUp }) => {
              void followUp({ name: next, tid: 't', when: world.span(1000, 500) });
              ack();
            });
          }
          await bus.subscribe(world.name('c'), next, (follower) => got.push(follower.id));
        });
        await wrkr.publish({ name: event });
        await world.pass(world.span(2000, 500));
        await world.until('both follow-ups', () => got.length >= 2);
        assert.equal(new Set(got).size, 2, 'they had the same id');
      },
      { needs: [delay] },
    ),
    itInCore(
      'followup.once-for-a-retried-handler',
      'a handler that fails after its follow-up and is retried does not publish it twice',
      async (world) => {
        const [event, next] = [world.name('e'), world.name('next')];
        const got: string[] = [];
        const wrkr = await world.started(async (bus) => {
          await bus.subscribe(
            world.name('a'),
            event,
            async (first, _, { followUp }) => {
              await followUp({ name: next });
              if (first.attempt < 3) throw new Error('not yet');
            },
            { retry: { backoff: () => 10 } },
          );
          await bus.subscribe(world.name('b'), next, (follower) => got.push(follower.id));
        });
        await wrkr.publish({ name: event });
        await world.pass(world.span(1000, 800));
        await world.until('the follow-up', () => got.length >= 1);
        await wrkr.publish({ name: next, id: world.name('fence') });
        await world.until('the fence', () => got.includes(world.name('fence')));
        assert.equal(got.length, 2, 'there was more than one follow-up');
      },
      { needs: [delay] },
    ),
    itInCore(
      'handler.unknown-event-keeps-its-attempts',
      'a process without a handler gives an event back, and that costs no attempt',
      async (world) => {
        const [known, unknown] = [world.name('known'), world.name('unknown')];
        const queue = world.name('q');
        const seen: string[] = [];
        const without = await world.started((bus) => bus.subscribe(queue, known, () => {}));
        const other = await world.open();
        await world.queue(other, 'q', unknown);
        await without.publish({ name: unknown });
        await world.pass(world.span(5000, 1500));
        await without.stop();
        await world.started((bus) => bus.subscribe(queue, unknown, (got) => seen.push(`${got.name} ${got.attempt}`)));
        await world.pass(world.span(60_000, 4000));
        await world.until('the handler', () => seen.length > 0);
        assert.deepEqual(seen, [`${unknown} 1`]);
      },
      { needs: [delay] },
    ),
    itInCore('retry.shutdown-is-not-an-attempt', 'an event that stop() gave back has its attempts unchanged', async (world) => {
      const event = world.name('e');
      const queue = world.name('q');
      const wrkr = await world.started((bus) => bus.subscribe(queue, event, () => new Promise(() => {}), { concurrency: 1 }));
      await Promise.all([wrkr.publish({ name: event }), wrkr.publish({ name: event })]);
      await world.pass(world.span(0, 300));
      await Promise.all([wrkr.stop({ timeout: 100 }), world.pass(world.span(100, 200))]);
      const attempts: number[] = [];
      await world.started((bus) => bus.subscribe(queue, event, (got) => attempts.push(got.attempt)));
      await world.until('both at another process', () => attempts.length === 2);
      assert.deepEqual(attempts, [1, 1]);
    }),
  ],
};
