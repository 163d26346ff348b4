import assert from 'node:assert/strict';
import type { Backend, Delivery } from 'wrkr/backend';
import { type Case, type Chapter, delay, it, maxDelay } from '../case.ts';
import type { World } from '../world.ts';

const DAY = 86_400_000;

/** Spans on both sides of 2^31 and 2^32 ms, where timers and integers of 32 bits break. */
const longDelays = { '7d': 7 * DAY, '25d': 25 * DAY, '50d': 50 * DAY, '5y': 5 * 365 * DAY };

function longDelay(word: string, ms: number): Case {
  return it(
    `delay.long.${word}`,
    `an event that is due in ${word} comes then, once, and not before`,
    async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      const at = backend.now() + ms;
      const id = await world.send(backend, { to: { queue }, at });
      if (!world.virtual) return provedByStore(world, backend, { queue, id, at });
      await world.pass(1000);
      await world.fence(backend, tap, 0);
      await world.pass(ms - 2000);
      await world.fence(backend, tap, 0);
      await world.pass(1000);
      await world.arrive(tap, 1);
      assert.deepEqual(tap.ids, [id]);
      await world.pass(1000);
      return world.fence(backend, tap, 1);
    },
    { needs: [maxDelay(ms)], hooks: ['dueOf'] },
  );
}

/** Where the server has the clock: what its structures say, between the instant and the granularity after it. */
async function provedByStore(world: World, backend: Backend, event: { queue: string; id: string; at: number }): Promise<void> {
  const due = await world.harness.dueOf?.(backend, event.queue, event.id);
  const { delay } = world.capabilities;
  const late = (due ?? Number.NaN) - event.at;
  assert.ok(
    delay && late >= 0 && late <= delay.granularityMs + 1000,
    `it is due ${late} ms after the instant that was asked for`,
  );
}

export const delaying: Chapter = {
  name: 'delays',
  cases: [
    it(
      'delay.not-before-due-then-due',
      'an event comes when it is due and not a moment before',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue);
        const wait = world.span(10_000, 1500);
        const at = backend.now() + wait;
        await world.send(backend, { to: { queue }, at });
        await world.pass(wait - world.span(1, 700));
        await world.fence(backend, tap, 0);
        await world.pass(world.span(1, 700));
        const [delivery] = await world.arrive(tap, 1);
        assert.ok((delivery?.at ?? 0) <= backend.now() && backend.now() >= at, 'it came early');
        assert.ok(delivery && delivery.at >= at, 'its due time is not the one that was asked for');
      },
      { needs: [delay] },
    ),
    it('delay.past-due-is-now', 'a due time that has passed is now', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      if (world.capabilities.delay) await world.send(backend, { to: { queue }, at: backend.now() - 11 * DAY });
      else await world.send(backend, { to: { queue } });
      await world.arrive(tap, 1);
    }),
    it(
      'delay.long-in-front-does-not-block-short',
      'events come in the order of their due times, whichever was sent first',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue);
        const unit = world.span(1000, 700);
        const now = backend.now();
        const [three, one, two] = [
          await world.send(backend, { to: { queue }, at: now + 3 * unit }),
          await world.send(backend, { to: { queue }, at: now + unit }),
          await world.send(backend, { to: { queue }, at: now + 2 * unit }),
        ];
        await world.pass(3 * unit);
        await world.arrive(tap, 3);
        assert.deepEqual(tap.ids, [one, two, three]);
      },
      { needs: [delay] },
    ),
    it(
      'order.due-time-beats-arrival',
      'of two that are overdue, the one that was due first comes first',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const now = backend.now();
        const unit = world.span(1000, 300);
        const later = await world.send(backend, { to: { queue }, at: now + 2 * unit });
        const sooner = await world.send(backend, { to: { queue }, at: now + unit });
        await world.pass(world.span(5000, 2 * unit + 500));
        const tap = await world.consume(backend, queue, { max: 1 });
        tap.ackAll();
        await world.arrive(tap, 2);
        assert.deepEqual(tap.ids, [sooner, later]);
      },
      { needs: [delay] },
    ),
    ...Object.entries(longDelays).map(([word, ms]) => longDelay(word, ms)),
    it(
      'delay.survives-restart',
      'what fell due while nobody was there comes when somebody is',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const wait = world.span(60_000, 800);
        const id = await world.send(backend, { to: { queue }, at: backend.now() + wait });
        await backend.close();
        await world.pass(2 * wait);
        const tap = await world.consume(await world.open(), queue);
        await world.arrive(tap, 1);
        assert.deepEqual(tap.ids, [id]);
      },
      { needs: [delay] },
    ),
    it(
      'delay.move-with-at',
      'a moved event comes at the time that the move says',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue);
        await world.send(backend, { to: { queue } });
        const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
        const wait = world.span(10_000, 1500);
        assert.deepEqual(await tap.move(delivery, { at: backend.now() + wait }), []);
        await world.pass(wait - world.span(1, 700));
        await world.fence(backend, tap, 1);
        await world.pass(world.span(1, 700));
        await world.arrive(tap, 2);
      },
      { needs: [delay] },
    ),
    it(
      'order.retry-does-not-block',
      'an event that was moved to a later time does not hold back those behind it',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 1 });
        await world.send(backend, { to: { queue } });
        const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
        assert.deepEqual(await tap.move(delivery, { at: backend.now() + 3_600_000 }), []);
        const next = await world.send(backend, { to: { queue } });
        await world.arrive(tap, 2);
        assert.equal(tap.all[1]?.id, next);
      },
      { needs: [delay] },
    ),
  ],
};
