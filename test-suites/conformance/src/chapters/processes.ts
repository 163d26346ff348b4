import assert from 'node:assert/strict';
import { type Chapter, it } from '../case.ts';
import type { Child } from '../child-process.ts';
import { expectDone, expectIds } from '../expect.ts';
import { durable, network } from '../needs.ts';
import type { World } from '../world.ts';

/** What a process may take to start, and to end by itself. */
const BOUND = 15_000;

const work = (world: World, queue: string, event = ''): object => ({ queue, event, leaseMs: world.leaseMs });

/** The ids that an acking child told of. */
function told({ messages }: Child, what: 'acking' | 'acked'): readonly string[] {
  return (messages as Record<string, string>[]).flatMap((message) => message[what] ?? []);
}

export const processes: Chapter = {
  name: 'processes and servers',
  cases: [
    it(
      'publish.crash-mid-fan-out',
      'what a publisher that was killed had sent is in all of its queues or in none',
      async (world) => {
        const backend = await world.open();
        const event = world.name('e');
        const words = ['a', 'b', 'c', 'd', 'e'];
        const queues = await Promise.all(words.map((word) => world.queue(backend, word, event)));
        const child = world.child('publishes', work(world, '', event));
        await world.until('some batches', () => child.messages.length >= 3, BOUND);
        await child.kill();
        const taps = await Promise.all(queues.map(async (queue) => (await world.consume(backend, queue)).ackAll()));
        const fences = await Promise.all(queues.map((queue) => world.send(backend, { to: { queue } })));
        await world.until('the fences', () => taps.every((tap, i) => tap.ids.includes(fences[i] as string)));
        const ids = new Set(taps.flatMap((tap, i) => tap.ids.filter((id) => id !== fences[i])));
        for (const id of [...ids, ...(child.messages.flat() as string[])])
          assert.ok(
            taps.every((tap) => tap.ids.includes(id)),
            `${id} is in some of its queues only`,
          );
      },
      { needs: [network], hooks: ['child'] },
    ),
    it(
      'move.never-loses',
      'an event that was being moved when its process was killed is there',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const ids = await world.sendMany(backend, 10, { to: { queue } });
        const child = world.child('moves', work(world, queue));
        await world.until('moves', () => child.messages.length >= 30, BOUND);
        await child.kill();
        const tap = (await world.consume(backend, queue)).ackAll();
        await world.pass(world.leaseOver);
        await world.until('all of them', () => ids.every((id) => tap.ids.includes(id)));
      },
      { needs: [network], hooks: ['child'] },
    ),
    it(
      'crash.kill-9',
      'of what a killed process had, all that it had not acked comes back, and nothing that it had',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const sending = world.sendMany(backend, 100, { to: { queue } });
        const child = world.child('acks', work(world, queue));
        await world.until('some acks', () => told(child, 'acked').length >= 20, BOUND);
        await child.kill();
        const ids = await sending;
        const [acking, acked] = [new Set(told(child, 'acking')), new Set(told(child, 'acked'))];
        const tap = (await world.consume(backend, queue)).ackAll();
        await world.pass(world.leaseOver);
        await world.until('the rest', () => ids.every((id) => acking.has(id) || tap.ids.includes(id)));
        const fence = await world.send(backend, { to: { queue } });
        await world.until('the fence', () => tap.ids.includes(fence));
        const again = tap.ids.filter((id) => acked.has(id));
        expectIds(again, [], 'what came back after it was acked');
      },
      { needs: [network], hooks: ['child'] },
    ),
    it(
      'proc.4-workers',
      'four processes share the events of one queue: each is acked once, and all are',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const children = Array.from({ length: 4 }, () => world.child('acks', work(world, queue)));
        const batches = Array.from({ length: 10 }, () => Array.from({ length: 50 }, () => world.outgoing({ to: { queue } })));
        for (const batch of batches) expectDone((await backend.send(batch)).failures, 'the send');
        const acked = (): readonly string[] => children.flatMap((child) => told(child, 'acked'));
        await world.until('500 acks', () => acked().length >= 500, 2 * BOUND);
        const ids = batches.flat().map(({ id }) => id);
        expectIds(acked(), ids, 'acks');
      },
      { needs: [network], hooks: ['child'] },
    ),
    it(
      'broker.restart',
      'what was confirmed survives two restarts of the server, and the backend comes back by itself',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = (await world.consume(backend, queue)).ackAll();
        const confirmed: string[] = [];
        for (let round = 0; round < 2; round++) {
          const sending = Array.from({ length: 50 }, () => world.send(backend, { to: { queue } }));
          for (const sent of await Promise.allSettled(sending)) if (sent.status === 'fulfilled') confirmed.push(sent.value);
          await world.harness.restart?.();
          const { states } = world.witness(backend);
          await world.until('it to say up again', () => states.at(-1) === 'up', 2 * BOUND);
        }
        await world.until('all that were confirmed', () => confirmed.every((id) => tap.ids.includes(id)), BOUND);
      },
      { needs: [network, durable], hooks: ['restart'] },
    ),
  ],
};
