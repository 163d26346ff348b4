import assert from 'node:assert/strict';
import type { Handler, Wrkr } from 'wrkr';
import type { Delivery } from 'wrkr/backend';
import { type Chapter, itInCore } from '../case.ts';
import { expectSame } from '../expect.ts';
import { change, connectionLease, deadBrowse, deathIsSeen, delay, exactHandouts, virtualTime } from '../needs.ts';

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
        expectSame(runs, 3, 'the runs of the handler');
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
        expectSame(
          [items.length, items[0]?.attempts, items[0]?.error.message, items[0]?.queue],
          [1, 2, 'broken', queue],
          'the dead letter: how many, its attempts, error and queue',
        );
        mended = true;
        expectSame(await wrkr.redrive({ queue }), 1, 'the count of redrive()');
        await world.until('the third run', () => attempts.length === 3);
        expectSame(attempts, [1, 2, 1], 'the attempts of all runs');
        expectSame((await wrkr.deadLetters({ queue })).items, [], 'the dead letters after the redrive');
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
          const backend = await world.create();
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
        expectSame(
          parked.all.map(({ tid }) => tid),
          ['poison'],
          'the tids of the dead letters',
        );
        await world.until('its neighbours handled', () => handled.length >= 4);
        expectSame([...new Set(handled)].sort(), ['a', 'b', 'c', 'd'], 'the neighbours that were handled');
      },
      { needs: [exactHandouts, deathIsSeen], hooks: ['crash'] },
    ),
    itInCore(
      'retry.backoff-honoured',
      'each retry comes when the back-off says, and not before',
      async (world) => {
        const event = world.name('e');
        const waits = [1, 3, 2].map((factor) => factor * world.span(60_000, 300));
        const runs: number[] = [];
        const handler = (): void => {
          runs.push(world.clock.now());
          if (runs.length <= waits.length) throw new Error('not yet');
        };
        const backoff = (attempt: number): number => waits[attempt - 1] as number;
        const wrkr = await world.started((bus) => bus.subscribe(world.name('q'), event, handler, { retry: { backoff } }));
        await wrkr.publish({ name: event });
        for (const wait of waits) await world.pass(wait);
        await world.until('four runs', () => runs.length >= 4);
        waits.forEach((wait, i) => {
          const waited = (runs[i + 1] as number) - (runs[i] as number);
          assert.ok(waited >= wait, `retry ${i + 1} came after ${waited} ms instead of ${wait}`);
        });
      },
      { needs: [delay] },
    ),
    itInCore(
      'dead.stop-mid-move',
      'an event that dies while its bus is stopped is in its queue or a dead letter',
      async (world) => {
        const [event, queue] = [world.name('e'), world.name('q')];
        let died = 0;
        const handler = (): void => {
          died++;
          throw new Error('broken');
        };
        const wrkr = await world.started((bus) => bus.subscribe(queue, event, handler, { retry: { attempts: 1 } }));
        await wrkr.publish(Array.from({ length: 10 }, (_, i) => ({ name: event, tid: `${i}` })));
        await world.until('the first deaths', () => died > 0);
        await wrkr.stop();
        const backend = await world.open();
        const parked = await world.consume(backend, `${queue}.dead`, { kind: 'parked' });
        const left = await world.consume(backend, queue);
        const tids = (): readonly (string | undefined)[] => [...parked.all, ...left.all].map(({ tid }) => tid);
        await world.until('all ten, here or there', () => new Set(tids()).size === 10);
        await world.fence(backend, left, left.all.length);
      },
    ),
    itInCore(
      'lease.handler-aborted-on-loss',
      'a handler whose lease is lost with the connection is aborted, and another finishes the event',
      async (world) => {
        const [event, queue] = [world.name('e'), world.name('q')];
        const backend = await world.create();
        let aborted = false;
        const hangs: Handler = (_, __, { signal }) => {
          signal.addEventListener('abort', () => {
            aborted = true;
          });
          return new Promise(() => {});
        };
        const first = await world.started((bus) => bus.subscribe(queue, event, hangs), { backend, lease: world.leaseMs });
        await first.publish({ name: event });
        await world.pass(world.span(0, 300));
        const restore = await world.cut(backend);
        const seen: string[] = [];
        await world.started((bus) => bus.subscribe(queue, event, ({ name }) => seen.push(name)));
        await world.pass(world.leaseOver + world.span(60_000, 0));
        await world.until('the event at the other bus', () => seen.length > 0);
        await restore();
        await world.pass(world.leaseOver);
        await world.until('the handler to be aborted', () => aborted);
      },
      { hooks: ['cut'] },
    ),
    itInCore(
      'lease.connection-max',
      'a handler that would outlive what a connection lease may last is ended before',
      async (world) => {
        const { lease } = world.capabilities;
        const event = world.name('e');
        let reason: unknown;
        const hangs: Handler = (_, __, { signal }) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
          });
          return new Promise(() => {});
        };
        const options = { timeout: '10 days', retry: { attempts: 1 } };
        const wrkr = await world.started((bus) => bus.subscribe(world.name('q'), event, hangs, options));
        await wrkr.publish({ name: event });
        await world.pass(lease.kind === 'connection' ? lease.maxMs : 0);
        assert.notEqual(reason, undefined, 'the handler was not aborted');
      },
      { needs: [connectionLease, virtualTime] },
    ),
  ],
};
