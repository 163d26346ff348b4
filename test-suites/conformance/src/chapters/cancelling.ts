import assert from 'node:assert/strict';
import type { Backend, Delivery } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { comesAt, warmUp } from '../due.ts';
import { expectDone, expectIds, expectSame } from '../expect.ts';
import { cancelAll, cancels, change, delay, filterBy } from '../needs.ts';

type Full = Required<Pick<Backend, 'cancel' | 'change'>> & Backend;

export const cancelling: Chapter = {
  name: 'cancel and change',
  cases: [
    it(
      'cancel.removes-waiting-only',
      'cancel removes what waits and says how many, and leaves what is held',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 1 });
        await world.send(backend, { to: { queue } });
        const [held] = (await world.arrive(tap, 1)) as [Delivery];
        const waits = await world.send(backend, { to: { queue } });
        expectSame(await backend.cancel({ queue, id: held.id }), 0, 'what is held was cancelled');
        expectSame(await backend.cancel({ queue, id: waits }), 1, 'what waits was not cancelled and counted');
        expectSame(await backend.cancel({ queue, id: waits }), 0, 'what was cancelled before was counted again');
        expectDone(await tap.ack(held), 'the ack');
        await world.fence(backend, tap, 1);
      },
      { needs: [cancelAll, filterBy('id')] },
    ),
    it(
      'cancel.by-key-in-one-queue',
      'cancel by key touches that key in that queue only',
      async (world) => {
        const backend = (await world.open()) as Full;
        const [a, b] = [await world.queue(backend, 'a'), await world.queue(backend, 'b')];
        await world.send(backend, { to: { queue: a }, key: 'k' });
        const other = await world.send(backend, { to: { queue: a }, key: 'other' });
        const elsewhere = await world.send(backend, { to: { queue: b }, key: 'k' });
        expectSame(await backend.cancel({ queue: a, key: 'k' }), 1, 'cancel() counted wrong');
        for (const [queue, id] of [
          [a, other],
          [b, elsewhere],
        ] as const) {
          const tap = await world.consume(backend, queue);
          await world.arrive(tap, 1);
          expectIds(tap.ids, [id], 'deliveries');
        }
      },
      { needs: [cancelAll, filterBy('key')] },
    ),
    ...(['tid', 'name'] as const).map((key) =>
      it(
        `cancel.by-${key}`,
        `cancel by ${key} takes what has it, and nothing else`,
        async (world) => {
          const backend = (await world.open()) as Full;
          const queue = await world.queue(backend, 'q');
          const [one, other] = [world.name('one'), world.name('other')];
          await world.send(backend, { to: { queue }, [key]: one });
          const stays = await world.send(backend, { to: { queue }, [key]: other });
          expectSame(await backend.cancel({ queue, [key]: one }), 1, `the count of those with the ${key}`);
          expectSame(
            await backend.cancel({ queue, [key]: one }),
            0,
            `the count of those with the ${key} after they were cancelled`,
          );
          const tap = await world.consume(backend, queue);
          await world.arrive(tap, 1);
          expectIds(tap.ids, [stays], 'what stayed');
        },
        { needs: [cancelAll, filterBy(key)] },
      ),
    ),
    it(
      'cancel.races-claim',
      'an event is either cancelled or delivered, never both and never neither',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue);
        const cancelled = new Set<string>();
        const ids: string[] = [];
        for (let i = 0; i < 50; i++) {
          const out = world.outgoing({ to: { queue } });
          ids.push(out.id);
          const [, count] = await Promise.all([backend.send([out]), backend.cancel({ queue, id: out.id })]);
          const more = await backend.cancel({ queue, id: out.id });
          if ((count ?? 0) + (more ?? 0) > 0) cancelled.add(out.id);
        }
        await world.until('the rest', () => tap.all.length + cancelled.size >= ids.length);
        await world.fence(backend, tap, ids.length - cancelled.size);
        for (const id of ids) assert.notEqual(cancelled.has(id), tap.ids.includes(id), `${id} was both or neither`);
      },
      { needs: [cancelAll, filterBy('id')] },
    ),
    it(
      'change.to-another-time-and-queue',
      'change moves what waits, with its headers merged, and counts it',
      async (world) => {
        const backend = (await world.open()) as Full;
        const [from, to] = [world.name('q.dead'), await world.queue(backend, 'q')];
        await backend.bind([{ queue: from, kind: 'parked' }]);
        const headers = { keep: '1', change: '1', drop: '1' };
        const id = await world.send(backend, { to: { queue: from }, headers });
        await world.send(backend, { to: { queue: from } });
        const changed = await backend.change(
          { queue: from, id },
          { queue: to, at: backend.now(), headers: { change: '2', drop: '', add: '3' } },
        );
        expectSame(changed, 1, 'change() counted wrong');
        const tap = await world.consume(backend, to);
        const [delivery] = await world.arrive(tap, 1);
        expectSame(
          [delivery?.id, { ...delivery?.headers }, delivery?.handouts],
          [id, { keep: '1', change: '2', add: '3' }, 1],
          'the id, headers and hand-outs of what was changed',
        );
        expectSame(await backend.change({ queue: from, id }, { queue: to }), 0, 'what had left was changed again');
      },
      { needs: [change, filterBy('id')] },
    ),
    it(
      'change.to-a-later-time',
      'what is changed to a later time comes then, and not before',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        await warmUp(world, backend);
        const id = await world.send(backend, { to: { queue } });
        const wait = world.span(3_600_000, 2000);
        const at = backend.now() + wait;
        expectSame(await backend.change({ queue, id }, { at }), 1, 'change() counted wrong');
        const tap = await world.consume(backend, queue);
        await world.fence(backend, tap, 0);
        await world.pass(wait - world.span(1, 700));
        await comesAt(world, backend, tap, { id, at, nth: 1 });
      },
      { needs: [change, delay, filterBy('id')] },
    ),
    it(
      'change.to-missing-queue-changes-nothing',
      'a change to a queue that was never declared is invalid',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        const id = await world.send(backend, { to: { queue } });
        expectSame(
          await world.refusal(backend.change({ queue, id }, { queue: world.name('never-declared') })),
          'invalid',
          'the change to a queue that is not there',
        );
        const tap = await world.consume(backend, queue);
        await world.arrive(tap, 1);
        expectIds(tap.ids, [id], 'deliveries');
      },
      { needs: [change, filterBy('id')] },
    ),
    it(
      'cancel.what-is-not-due',
      'what is not yet due is taken back by its receipt, and a second time finds nothing',
      async (world) => {
        const backend = (await world.open()) as Full;
        const [warm, queue] = [await world.queue(backend, 'warm-up'), await world.queue(backend, 'q')];
        await world.send(backend, { to: { queue: warm }, at: backend.now() + 1 });
        const tap = await world.consume(backend, queue);
        const wait = world.span(60_000, 2000);
        const at = backend.now() + wait;
        const id = await world.send(backend, { to: { queue }, at });
        const stays = await world.send(backend, { to: { queue }, at });
        const first = await backend.cancel({ id, at });
        assert.ok(first === 1 || first === null, `cancel gave ${first}`);
        const second = await backend.cancel({ id, at });
        assert.ok(second === 0 || second === null, `the second cancel gave ${second}`);
        await world.pass(wait);
        await world.until('the other one', () => tap.ids.includes(stays));
        await world.fence(backend, tap, 1);
      },
      { needs: [delay, cancels, filterBy('id')] },
    ),
    it(
      'change.races-claim',
      'an event that is given another queue while it may be handed out is in one of the two, once',
      async (world) => {
        const backend = (await world.open()) as Full;
        const [a, b] = [await world.queue(backend, 'a'), await world.queue(backend, 'b')];
        const taps = [await world.consume(backend, a), await world.consume(backend, b)];
        const ids: string[] = [];
        for (let i = 0; i < 30; i++) {
          const out = world.outgoing({ to: { queue: a } });
          ids.push(out.id);
          await Promise.all([backend.send([out]), backend.change({ queue: a, id: out.id }, { queue: b })]);
          await backend.change({ queue: a, id: out.id }, { queue: b });
        }
        const seen = (): readonly string[] => taps.flatMap((tap) => tap.ids);
        await world.reach(ids.length, 'deliveries', () => seen().length);
        expectIds(seen(), ids, 'deliveries');
      },
      { needs: [change, filterBy('id')] },
    ),
  ],
};
