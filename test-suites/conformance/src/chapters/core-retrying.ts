import assert from 'node:assert/strict';
import type { Wrkr } from 'wrkr';
import type { Delivery } from 'wrkr/backend';
import { type Chapter, itInCore } from '../case.ts';
import { change, deadBrowse, deathIsSeen, delay, exactHandouts } from '../needs.ts';

export const coreRetrying: Chapter = {
  name: 'core: retries and dead letters',
  cases: [
    itInCore(
      'retry.exhausted-goes-dead',
      'after its last attempt an event is in the parked queue, with its errors, and not in its own',
      async (world) => {
        const event = world.name('e');
        const queue = world.name('q');
        let runs = 0;
        const wrkr = await world.started((bus) =>
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
    itInCore(
      'dead.redrive',
      'a redriven dead letter is handled in its queue as a first attempt',
      async (world) => {
        const event = world.name('e');
        const queue = world.name('q');
        let mended = false;
        const attempts: number[] = [];
        const wrkr = await world.started((bus) =>
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
    itInCore(
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
          const starting = world.started((bus) => bus.subscribe(queue, event, handler, { concurrency: 4 }), {
            backend,
            lease: world.leaseMs,
          });
          return starting.catch(() => undefined); // it may die before it has quite started
        };
        const publisher = await world.started(async () => {}); // one that does not die before its events are stored
        await life();
        await publisher.publish(['a', 'poison', 'b', 'c', 'd'].map((tid) => ({ name: event, tid })));
        const observer = await world.open();
        const parked = await world.consume(observer, `${queue}.dead`, { kind: 'parked' });
        for (let lives = 0; lives < 40 && parked.all.length === 0; lives++) {
          await world.pass(world.leaseOver);
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
      { needs: [exactHandouts, deathIsSeen], hooks: ['crash'] },
    ),
  ],
};
