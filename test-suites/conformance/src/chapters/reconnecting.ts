import assert from 'node:assert/strict';
import { type Backend, type Delivery, isBackendError } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { expectDone, expectFailed, expectIds, expectSame } from '../expect.ts';
import { connectionLease, timedLease } from '../needs.ts';
import type { World } from '../world.ts';

/** While the server is away a call may take as long as the backend's own I/O timeout, and no longer. */
const BOUND = 30_000;

async function down(world: World, backend: Backend): Promise<() => Promise<void>> {
  const restore = await world.cut(backend);
  const { states } = world.witness(backend);
  await world.until('it to say down', () => states.at(-1) === 'down', BOUND);
  return async () => {
    await restore();
    await world.until('it to say up again', () => states.at(-1) === 'up', BOUND);
  };
}

/** What became of a call: `done`, or the code of its error. */
function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error: unknown) => (isBackendError(error) ? error.code : String(error)),
  );
}

/** The same, which must be there in time. */
async function answer(world: World, call: Promise<unknown>): Promise<string> {
  let code: string | undefined;
  void codeOf(call).then((known) => {
    code = known;
  });
  await world.until('an answer to a call while the connection is down', () => code !== undefined, BOUND);
  return String(code);
}

function expectRefused(code: string, ...others: readonly string[]): void {
  assert.ok(['unavailable', 'timeout', ...others].includes(code), `while the connection was down a call ended as ${code}`);
}

/** Acks what the tap holds until all of these are done. Resolves with the most that were held at once. */
async function ackEach(world: World, tap: Awaited<ReturnType<World['consume']>>, ids: readonly string[]): Promise<number> {
  const acked = new Set<string>();
  let most = 0;
  while (acked.size < ids.length) {
    await world.until('something to ack', () => tap.held.size > 0);
    most = Math.max(most, tap.held.size);
    const delivery = [...tap.held][0] as Delivery;
    if ((await tap.ack(delivery)).length === 0) acked.add(delivery.id);
  }
  expectIds(acked, ids, 'deliveries');
  return most;
}

/** A lost connection comes back by itself, consumers included. */
export const reconnecting: Chapter = {
  name: 'lost connections',
  cases: [
    it(
      'cut.says-down-then-up',
      'a lost connection is said to be down, and up when it is back, once each',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const back = await down(world, backend);
        await back();
        expectSame(world.witness(backend).states, ['up', 'down', 'up'], 'the states');
        await world.fence(backend, await world.consume(backend, queue), 0);
      },
      { hooks: ['cut'] },
    ),
    it(
      'cut.calls-are-answered',
      'while the connection is down every call is refused in bounded time, and works when it is back',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const back = await down(world, backend);
        const out = world.outgoing({ to: { queue } });
        expectRefused(await answer(world, backend.send([out])));
        expectRefused(await answer(world, backend.bind([{ queue, pattern: world.name('e'), kind: 'work' }])));
        await back();
        expectDone((await backend.send([out])).failures, 'the send');
        const tap = await world.consume(backend, queue);
        await world.until('the event', () => tap.ids.includes(out.id));
      },
      { hooks: ['cut'] },
    ),
    it(
      'cut.settle-while-down',
      'a settlement while the connection is down is refused in bounded time, and the event is not lost',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 1, leaseMs: world.leaseMs });
        const id = await world.send(backend, { to: { queue } });
        const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
        const back = await down(world, backend);
        const settled = tap.consumer.settle([{ d: delivery, do: 'ack' }]);
        expectRefused(
          await answer(
            world,
            settled.then((failures) => Promise.reject(failures[0]?.error)),
          ),
          'stale',
        );
        await back();
        await world.pass(world.leaseOver);
        await world.until('the event again', () => tap.ids.filter((one) => one === id).length >= 2);
      },
      { hooks: ['cut'] },
    ),
    it(
      'cut.consumers-go-on',
      'a consumer goes on after its connection was lost, with its limit, and what it held is not lost',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 2, leaseMs: world.leaseMs });
        const ids = await world.sendMany(backend, 5, { to: { queue } });
        await world.until('two held', () => tap.held.size === 2);
        const back = await down(world, backend);
        await back();
        const most = await ackEach(world, tap, ids);
        assert.ok(most <= 2, `${most} were held, of 2 allowed`);
      },
      { hooks: ['cut'] },
    ),
    it(
      'cut.lost-is-said',
      'with a connection its leases are lost, and whoever held them is told',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 2 });
        await world.sendMany(backend, 3, { to: { queue } });
        await world.until('two held', () => tap.held.size === 2);
        const held = [...tap.held];
        const back = await down(world, backend);
        await world.until('lost() for what was held', () => held.every((delivery) => tap.losses.includes(delivery)));
        await back();
        await world.until('two held again', () => tap.held.size === 2);
        const failures = await tap.ack(...held);
        expectFailed(failures, { 0: 'stale', 1: 'stale' }, 'the settlement of what was lost');
      },
      { needs: [connectionLease], hooks: ['cut'] },
    ),
    it(
      'cut.timed-leases-hold',
      'a timed lease outlives its connection: what was held can be settled when it is back',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue);
        await world.send(backend, { to: { queue } });
        const held = [...(await world.arrive(tap, 1))];
        const back = await down(world, backend);
        await back();
        expectDone(await tap.ack(...held), 'the ack');
        await world.fence(backend, tap, 1);
      },
      { needs: [timedLease], hooks: ['cut'] },
    ),
    it(
      'cut.limit-and-stop-while-down',
      'limit() and stop() while the connection is down hold afterwards',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const [stopped, paused] = [await world.consume(backend, queue), await world.consume(backend, queue)];
        const back = await down(world, backend);
        paused.consumer.limit(0);
        expectSame(await answer(world, stopped.consumer.stop()), 'done', 'what became of stop()');
        await back();
        const other = await world.consume(await world.open(), queue);
        await world.sendMany(backend, 3, { to: { queue } });
        await world.arrive(other, 3);
        expectSame([stopped.all.length, paused.all.length], [0, 0], 'what came to the stopped and the paused consumer');
      },
      { hooks: ['cut'] },
    ),
    it(
      'cut.confirmed-is-stored',
      'of events that were being sent when the connection was lost, none that was confirmed is missing',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const confirmed = new Set<string>();
        const send = async (): Promise<void> => {
          const out = world.outgoing({ to: { queue } });
          const { failures } = await backend.send([out]);
          if (failures.length === 0) confirmed.add(out.id);
        };
        const sending = Array.from({ length: 50 }, () => codeOf(send()));
        const back = await down(world, backend);
        await answer(world, Promise.all(sending));
        for (const code of await Promise.all(sending)) expectRefused(code, 'done');
        await back();
        const tap = (await world.consume(await world.open(), queue)).ackAll();
        await world.until('all that were confirmed', () => [...confirmed].every((id) => tap.ids.includes(id)));
      },
      { hooks: ['cut'] },
    ),
    it(
      'cut.close-while-down',
      'close() while the connection is down ends it for good',
      async (world) => {
        const backend = await world.open();
        await world.consume(backend, await world.queue(backend, 'q'));
        const restore = await world.cut(backend);
        const { states } = world.witness(backend);
        expectSame(await answer(world, backend.close()), 'done', 'what became of close()');
        await restore();
        await world.pass(world.span(1000, 500));
        expectSame(states.at(-1), 'closed', 'the last state');
        expectSame(states.filter((state) => state === 'closed').length, 1, 'how often it said closed');
      },
      { hooks: ['cut'] },
    ),
  ],
};
