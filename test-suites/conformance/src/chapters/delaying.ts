import type { Clock, Delivery } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { comesAt, warmUp } from '../due.ts';
import { expectDone, expectFailed, expectIds, expectSame } from '../expect.ts';
import { delay, serverClock } from '../needs.ts';
import { longDelays } from './long-delays.ts';

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
        await warmUp(world, backend);
        const wait = world.span(10_000, 1500);
        const at = backend.now() + wait;
        const id = await world.send(backend, { to: { queue }, at });
        await world.pass(wait - world.span(1, 700));
        await comesAt(world, backend, tap, { id, at, nth: 1 });
      },
      { needs: [delay] },
    ),
    it(
      'delay.keeps-every-field',
      'an event that waited is as it was sent, and so is one that was moved to wait',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue);
        const headers = { 'wrkr-parent': 'p', 'x-y': 'z' };
        const sent = world.outgoing({ to: { queue }, tid: 't', headers, at: backend.now() + world.span(1000, 300) });
        expectDone((await backend.send([sent])).failures, 'the send');
        for (let count = 1; count <= 2; count++) {
          await world.pass(world.span(1000, 300));
          const delivery = (await world.arrive(tap, count))[count - 1] as Delivery;
          const { id, name, tid, sentAt, handouts } = delivery;
          expectSame(
            { id, name, tid, sentAt, handouts },
            { id: sent.id, name: sent.name, tid: 't', sentAt: sent.sentAt, handouts: 1 },
            'the fields of what waited',
          );
          expectSame({ ...delivery.headers }, headers, 'the headers of what waited');
          expectSame(Uint8Array.from(delivery.body), Uint8Array.from(sent.body), 'the body of what waited');
          await tap.move(delivery, { at: backend.now() + world.span(1000, 300) });
        }
      },
      { needs: [delay] },
    ),
    it(
      'delay.to-missing-queue-is-invalid',
      'a delayed event, or a delayed move, for a queue that was never declared is invalid',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const missing = world.name('never-declared');
        const at = backend.now() + 60_000;
        const { failures } = await backend.send([world.outgoing({ to: { queue: missing }, at })]);
        expectFailed(failures, { 0: 'invalid' }, 'the send to a queue that is not there');
        const tap = await world.consume(backend, queue);
        await world.send(backend, { to: { queue } });
        const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
        const refused = await tap.move(delivery, { queue: missing, at });
        expectFailed(refused, { 0: 'invalid' }, 'the move to a queue that is not there');
        expectDone(await tap.ack(delivery), 'the ack');
      },
      { needs: [delay] },
    ),
    it('delay.past-due-is-now', 'a due time that has passed is now', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      if (world.capabilities.delay) await world.send(backend, { to: { queue }, at: backend.now() - 11 * 86_400_000 });
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
        await warmUp(world, backend);
        const unit = world.span(1000, 700);
        const now = backend.now();
        const [three, one, two] = [
          await world.send(backend, { to: { queue }, at: now + 3 * unit }),
          await world.send(backend, { to: { queue }, at: now + unit }),
          await world.send(backend, { to: { queue }, at: now + 2 * unit }),
        ];
        await world.pass(3 * unit);
        await world.arrive(tap, 3);
        expectSame(tap.ids, [one, two, three], 'the order of deliveries');
      },
      { needs: [delay] },
    ),
    it(
      'order.due-time-beats-arrival',
      'of two that are overdue, the one that was due first comes first',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        await warmUp(world, backend);
        const now = backend.now();
        const unit = world.span(1000, 700);
        const later = await world.send(backend, { to: { queue }, at: now + 2 * unit });
        const sooner = await world.send(backend, { to: { queue }, at: now + unit });
        await world.pass(world.span(5000, 2 * unit + 500));
        const tap = await world.consume(backend, queue, { max: 1 });
        tap.ackAll();
        await world.arrive(tap, 2);
        expectSame(tap.ids, [sooner, later], 'the order of deliveries');
      },
      { needs: [delay] },
    ),
    ...longDelays,
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
        expectIds(tap.ids, [id], 'deliveries');
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
        await warmUp(world, backend);
        const id = await world.send(backend, { to: { queue } });
        const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
        const wait = world.span(10_000, 1500);
        const at = backend.now() + wait;
        expectDone(await tap.move(delivery, { at }), 'the move');
        await world.pass(wait - world.span(1, 700));
        await comesAt(world, backend, tap, { id, at, nth: 2 });
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
        expectDone(await tap.move(delivery, { at: backend.now() + 3_600_000 }), 'the move');
        const next = await world.send(backend, { to: { queue } });
        await world.arrive(tap, 2);
        expectSame(tap.all[1]?.id, next, 'the id of what comes after the event that waits');
      },
      { needs: [delay] },
    ),
    it(
      'delay.clock-skew',
      'a due time that was taken from now() is kept, however wrong the clock of this machine is',
      async (world) => {
        for (const skew of [-300_000, 300_000]) {
          const clock: Clock = {
            ...world.clock,
            now: () => world.clock.now() + skew,
            after: (ms, fn) => world.clock.after(ms, fn),
          };
          const backend = await world.open(undefined, clock);
          const queue = await world.queue(backend, `q${skew}`);
          const tap = await world.consume(backend, queue);
          await warmUp(world, backend);
          const at = backend.now() + 1500;
          const id = await world.send(backend, { to: { queue }, at });
          await comesAt(world, backend, tap, { id, at, nth: 1 });
        }
      },
      { needs: [delay, serverClock] },
    ),
  ],
};
