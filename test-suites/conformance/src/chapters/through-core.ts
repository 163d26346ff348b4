import assert from 'node:assert/strict';
import type { Wrkr } from 'wrkr';
import type { Delivery } from 'wrkr/backend';
import { type Chapter, change, deadBrowse, delay, exactHandouts, it, type Need } from '../case.ts';
import type { World } from '../world.ts';

/** Where core parks delayed events itself. */
const parks: readonly Need[] = [
  delay,
  { what: 'delay without fanOut', met: (capabilities) => capabilities.delay !== false && !capabilities.delay.fanOut },
];

/** A started bus whose handlers are given by queue and pattern. */
async function started(
  world: World,
  subscribe: (wrkr: Wrkr) => Promise<unknown>,
  options: Parameters<World['bus']>[0] = {},
): Promise<Wrkr> {
  const wrkr = world.bus(options);
  await subscribe(wrkr);
  await wrkr.start();
  return wrkr;
}

/** What the contract is for, seen from above: core on this backend keeps what it promises. */
export const throughCore: Chapter = {
  name: 'through core',
  cases: [
    it('core.publish-handle-ack', 'what is published is handled by each queue once, and then gone', async (world) => {
      const event = world.name('user.added');
      const seen: string[] = [];
      const wrkr = await started(world, async (bus) => {
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
    it(
      'delay.publish-fans-out-when-due',
      'the subscribers of a delayed event are those that there are when it falls due',
      async (world) => {
        const event = world.name('e');
        const [early, late, gone] = [world.name('early'), world.name('late'), world.name('gone')];
        const seen: string[] = [];
        const handler = (got: { queue: string }): unknown => seen.push(got.queue);
        const wrkr = await started(world, async (bus) => {
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
    it(
      'cancel.delayed-publish',
      'a delayed event that was cancelled by its receipt reaches nobody',
      async (world) => {
        const event = world.name('e');
        const seen: unknown[] = [];
        const wrkr = await started(world, (bus) => bus.subscribe(world.name('q'), event, (got) => seen.push(got.payload)));
        const wait = world.span(86_400_000, 2000);
        const receipt = await wrkr.publish({ name: event, payload: 'cancelled', when: wait });
        await wrkr.publish({ name: event, payload: 'fence', when: wait + 200 });
        const count = await wrkr.cancel(receipt);
        assert.ok(count === 1 || count === null, `cancel gave ${count}`);
        await world.pass(wait + 200);
        await world.until('the fence', () => seen.length > 0);
        assert.deepEqual(seen, ['fence']);
      },
      { needs: [delay, { what: 'cancel by id', met: ({ cancel, filter }) => cancel !== false && filter.includes('id') }] },
    ),
    it(
      'followup.ids-do-not-collide-across-queues',
      'two queues that each publish the same follow-up of one event get both',
      async (world) => {
        const [event, next] = [world.name('e'), world.name('next')];
        const got: string[] = [];
        const wrkr = await started(world, async (bus) => {
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
    it(
      'followup.once-for-a-retried-handler',
      'a handler that fails after its follow-up and is retried does not publish it twice',
      async (world) => {
        const [event, next] = [world.name('e'), world.name('next')];
        const got: string[] = [];
        const wrkr = await started(world, async (bus) => {
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
    it(
      'handler.unknown-event-keeps-its-attempts',
      'a process without a handler gives an event back, and that costs no attempt',
      async (world) => {
        const [known, unknown] = [world.name('known'), world.name('unknown')];
        const queue = world.name('q');
        const seen: string[] = [];
        const without = await started(world, (bus) => bus.subscribe(queue, known, () => {}));
        const other = await world.open();
        await world.queue(other, 'q', unknown);
        await without.publish({ name: unknown });
        await world.pass(world.span(5000, 1500));
        await without.stop();
        await started(world, (bus) => bus.subscribe(queue, unknown, (got) => seen.push(`${got.name} ${got.attempt}`)));
        await world.pass(world.span(60_000, 4000));
        await world.until('the handler', () => seen.length > 0);
        assert.deepEqual(seen, [`${unknown} 1`]);
      },
      { needs: [delay] },
    ),
    it(
      'retry.exhausted-goes-dead',
      'after its last attempt an event is in the parked queue, with its errors, and not in its own',
      async (world) => {
        const event = world.name('e');
        const queue = world.name('q');
        let runs = 0;
        const wrkr = await started(world, (bus) =>
          bus.subscribe(queue, event, () => Promise.reject(new Error(`failure ${++runs}`)), {
            retry: { attempts: 3, backoff: () => 10 },
          }),
        );
        await wrkr.publish({ name: event, payload: 'p' });
        await world.pass(world.span(1000, 500));
        await world.until('three runs', () => runs >= 3);
        const backend = await world.open();
        const tap = await world.consume(backend, `${queue}.dead`, { kind: 'parked' });
        const [letter] = (await world.arrive(tap, 1)) as [Delivery];
        assert.match(letter.headers['wrkr-errors'] ?? '', /failure 1.*failure 2.*failure 3/);
        assert.equal(runs, 3);
        await wrkr.stop();
        await world.fence(backend, await world.consume(backend, queue), 0);
      },
      { needs: [delay] },
    ),
    it(
      'dead.redrive',
      'a redriven dead letter is handled in its queue as a first attempt',
      async (world) => {
        const event = world.name('e');
        const queue = world.name('q');
        let mended = false;
        const attempts: number[] = [];
        const wrkr = await started(world, (bus) =>
          bus.subscribe(
            queue,
            event,
            (got) => {
              attempts.push(got.attempt);
              if (!mended) throw new Error('broken');
            },
            { retry: { attempts: 2, backoff: () => 10 } },
          ),
        );
        await wrkr.publish({ name: event, tid: 't' });
        await world.pass(world.span(1000, 500));
        await world.until('two runs', () => attempts.length === 2);
        let { items } = await wrkr.deadLetters({ queue });
        for (let i = 0; items.length === 0 && i < 50; i++) {
          await world.pass(20);
          ({ items } = await wrkr.deadLetters({ queue }));
        }
        assert.deepEqual([items.length, items[0]?.attempts, items[0]?.error.message, items[0]?.queue], [1, 2, 'broken', queue]);
        mended = true;
        assert.equal(await wrkr.redrive({ queue }), 1);
        await world.until('the third run', () => attempts.length === 3);
        assert.deepEqual(attempts, [1, 2, 1]);
        assert.deepEqual((await wrkr.deadLetters({ queue })).items, []);
      },
      { needs: [delay, deadBrowse, change] },
    ),
    it('retry.shutdown-is-not-an-attempt', 'an event that stop() gave back has its attempts unchanged', async (world) => {
      const event = world.name('e');
      const queue = world.name('q');
      const wrkr = await started(world, (bus) => bus.subscribe(queue, event, () => new Promise(() => {}), { concurrency: 1 }));
      await Promise.all([wrkr.publish({ name: event }), wrkr.publish({ name: event })]);
      await world.pass(world.span(0, 300));
      await Promise.all([wrkr.stop({ timeout: 100 }), world.pass(world.span(100, 200))]);
      const attempts: number[] = [];
      await started(world, (bus) => bus.subscribe(queue, event, (got) => attempts.push(got.attempt)));
      await world.until('both at another process', () => attempts.length === 2);
      assert.deepEqual(attempts, [1, 1]);
    }),
    it(
      'crash.neighbours-are-not-blamed',
      'an event that kills its process ends as a dead letter, and those that were with it are handled',
      async (world) => {
        const event = world.name('e');
        const queue = world.name('q');
        const handled: string[] = [];
        let crash: (() => Promise<void>) | undefined;
        const life = async (): Promise<Wrkr | undefined> => {
          const backend = world.create();
          let dead = false;
          crash = async () => {
            dead = true;
            await world.crash(backend);
          };
          const handler = async ({ tid }: { tid: string | undefined }): Promise<void> => {
            if (tid === 'poison') await crash?.();
            if (dead) return new Promise(() => {});
            handled.push(String(tid));
          };
          const starting = started(world, (bus) => bus.subscribe(queue, event, handler, { concurrency: 4 }), {
            backend,
            lease: world.leaseMs,
          });
          return starting.catch(() => undefined); // it may die before it has quite started
        };
        const first = await life();
        await first?.publish(['a', 'poison', 'b', 'c', 'd'].map((tid) => ({ name: event, tid })));
        const observer = await world.open();
        const parked = await world.consume(observer, `${queue}.dead`, { kind: 'parked' });
        for (let lives = 0; lives < 40 && parked.all.length === 0; lives++) {
          await world.pass(world.leaseMs + world.span(1, 500));
          if (parked.all.length === 0) await life();
        }
        await world.until('the poison among the dead letters', () => parked.all.length > 0);
        assert.deepEqual(
          parked.all.map(({ tid }) => tid),
          ['poison'],
        );
        await world.until('its neighbours handled', () => handled.length >= 4);
        assert.deepEqual([...new Set(handled)].sort(), ['a', 'b', 'c', 'd']);
      },
      { needs: [exactHandouts, { what: 'virtual time', met: ({ clock }) => clock === 'injected' }], hooks: ['crash'] },
    ),
    it(
      'relay.row-is-one',
      'a delayed event is one stored row until it is due, however many queues there are',
      async (world) => {
        const event = world.name('e');
        const wrkr = await started(world, async (bus) => {
          for (const word of ['a', 'b', 'c']) await bus.subscribe(world.name(word), event, () => {});
        });
        const { id } = await wrkr.publish({ name: event, when: 60_000 });
        const { items } = await wrkr.find({ id });
        assert.deepEqual(
          items.map((item) => [item.id, item.name, item.queue]),
          [[id, event, undefined]],
        );
      },
      { needs: [...parks, { what: 'browse', met: ({ browse }) => browse !== false }] },
    ),
  ],
};
