import assert from 'node:assert/strict';
import type { Wrkr } from 'wrkr';
import { type Chapter, itInCore } from '../case.ts';
import { expectSame } from '../expect.ts';
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
      expectSame(seen.sort(), ['a u1 {"plan":"pro"}', 'b u1 1'], 'what the handlers got');
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
        expectSame(seen, [`${unknown} 1`], 'what the handler got');
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
      expectSame(attempts, [1, 1], 'the attempts after stop()');
    }),
    itInCore('handler.concurrency', 'as many handlers run at once as the subscription says, and no more', async (world) => {
      const event = world.name('e');
      let running = 0;
      let most = 0;
      const gate: (() => void)[] = [];
      const handler = async (): Promise<void> => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => gate.push(resolve));
        running--;
      };
      const wrkr = await world.started((bus) => bus.subscribe(world.name('q'), event, handler, { concurrency: 3 }));
      await wrkr.publish(Array.from({ length: 12 }, () => ({ name: event })));
      for (let left = 12; left > 0; left--) {
        const room = Math.min(3, left);
        await world.until(`${room} handlers at once`, () => gate.length === room);
        gate.shift()?.();
      }
      expectSame(most, 3, 'the most handlers at once');
    }),
    itInCore(
      'publish.from-inside-a-handler',
      'a handler can publish to its own queue, also where one runs at a time',
      async (world) => {
        const event = world.name('e');
        const seen: unknown[] = [];
        const wrkr: Wrkr = await world.started((bus) =>
          bus.subscribe(
            world.name('q'),
            event,
            async ({ payload }) => {
              seen.push(payload);
              if (Number(payload) < 3) await wrkr.publish({ name: event, payload: Number(payload) + 1 });
            },
            { concurrency: 1 },
          ),
        );
        await wrkr.publish({ name: event, payload: 1 });
        await world.until('all three', () => seen.length >= 3);
        expectSame(seen, [1, 2, 3], 'the payloads in order');
      },
    ),
    itInCore('payload.codec', 'a payload arrives as it was given, with its dates, bytes and big numbers', async (world) => {
      const event = world.name('e');
      const payload = {
        when: new Date(1_893_456_000_123),
        bytes: new Uint8Array([0, 255, 10]),
        big: 2n ** 80n,
        nested: [{ 'a.b': null, $where: 'x', text: 'ž🐎\u2028' }, -0, 0.1],
      };
      const got: unknown[] = [];
      const wrkr = await world.started((bus) => bus.subscribe(world.name('q'), event, (one) => got.push(one.payload)));
      await wrkr.publish({ name: event, payload });
      await world.until('the event', () => got.length > 0);
      const { bytes, ...rest } = got[0] as typeof payload;
      expectSame(Uint8Array.from(bytes), payload.bytes, 'the bytes of the payload');
      assert.deepStrictEqual({ bytes: payload.bytes, ...rest }, payload, 'the payload that arrived');
    }),
    itInCore('limits.over', 'what is beyond a declared limit is refused, and nothing of it is stored', async (world) => {
      const event = world.name('e');
      const seen: string[] = [];
      const wrkr = await world.started((bus) => bus.subscribe(world.name('q'), event, ({ id }) => seen.push(id)));
      const headers = { big: 'x'.repeat(world.capabilities.limits.headerBytes + 1) };
      const refused = await wrkr.publish({ name: event, headers }).then(
        () => assert.fail('it was taken'),
        (error: { applied: string }) => error,
      );
      expectSame(refused.applied, 'no', 'what the refusal says was applied');
      await wrkr.publish({ name: event, id: 'fence' });
      await world.until('the fence', () => seen.includes('fence'));
      expectSame(seen, ['fence'], 'the events that were handled');
    }),
    itInCore('stop.graceful', 'stop() lets handlers end, and what was not begun is there for the next process', async (world) => {
      const event = world.name('e');
      const queue = world.name('q');
      let finish = (): void => {};
      const ended: string[] = [];
      const wrkr = await world.started((bus) =>
        bus.subscribe(
          queue,
          event,
          async ({ id }) => {
            await new Promise<void>((resolve) => {
              finish = resolve;
            });
            ended.push(id);
          },
          { concurrency: 1 },
        ),
      );
      const [running, waiting] = [world.name('running'), world.name('waiting')];
      await wrkr.publish({ name: event, id: running });
      await world.until('a handler to run', () => wrkr.state === 'up' && finish.name !== 'finish');
      await wrkr.publish({ name: event, id: waiting });
      const stopping = Promise.all([wrkr.stop(), wrkr.stop()]);
      finish();
      await stopping;
      expectSame(ended, [running], 'the handlers that ended before stop() resolved');
      const seen: string[] = [];
      await world.started((bus) => bus.subscribe(queue, event, ({ id, attempt }) => seen.push(`${id} ${attempt}`)));
      await world.until('the other one', () => seen.length > 0);
      expectSame(seen, [`${waiting} 1`], 'what the next process handled');
    }),
  ],
};
