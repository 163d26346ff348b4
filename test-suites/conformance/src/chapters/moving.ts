import type { Delivery } from 'wrkr/backend';
import { type Case, it } from '../case.ts';
import { expectDone, expectFailed, expectIds, expectSame } from '../expect.ts';

export const moving: readonly Case[] = [
  it('move.now-redelivers', 'a moved event comes again: the same event with new headers', async (world) => {
    const backend = await world.open();
    const queue = await world.queue(backend, 'q');
    const tap = await world.consume(backend, queue);
    const body = new Uint8Array([9, 8, 7]);
    const id = await world.send(backend, { to: { queue }, tid: 't', body, headers: { old: '1' } });
    const [first] = (await world.arrive(tap, 1)) as [Delivery];
    expectDone(await tap.move(first, { headers: { new: '2' } }), 'the move');
    const second = (await world.arrive(tap, 2))[1] as Delivery;
    expectSame(
      [second.id, second.name, second.tid, second.sentAt],
      [id, first.name, 't', first.sentAt],
      'the id, name, tid and sentAt after the move',
    );
    expectSame(Uint8Array.from(second.body), body, 'the body after the move');
    expectSame({ ...second.headers }, { new: '2' }, 'the headers after the move');
    await world.fence(backend, tap, 2);
  }),
  it('move.resets-handouts', 'hand-outs are counted anew after a move', async (world) => {
    const backend = await world.open();
    const queue = await world.queue(backend, 'q');
    const tap = await world.consume(backend, queue);
    await world.send(backend, { to: { queue } });
    for (let i = 1; i <= 3; i++) {
      const delivery = (await world.arrive(tap, i))[i - 1] as Delivery;
      expectSame(delivery.handouts, 1, 'the hand-outs after a move');
      await tap.move(delivery);
    }
  }),
  it('move.many-times', 'an event can be moved as often as it takes', async (world) => {
    const backend = await world.open();
    const queue = await world.queue(backend, 'q');
    const tap = await world.consume(backend, queue);
    const id = await world.send(backend, { to: { queue } });
    for (let i = 1; i <= 40; i++) expectDone(await tap.move((await world.arrive(tap, i))[i - 1] as Delivery), 'the move');
    await world.arrive(tap, 41);
    expectSame(tap.all[40]?.id, id, 'the id after 40 moves');
  }),
  it('move.stays-in-its-queue', 'other queues see nothing of a move', async (world) => {
    const backend = await world.open();
    const event = world.name('e');
    const a = await world.queue(backend, 'a', event);
    const b = await world.queue(backend, 'b', event);
    await world.send(backend, { to: { event } });
    const tapA = await world.consume(backend, a);
    await tapA.move((await world.arrive(tapA, 1))[0] as Delivery);
    await world.arrive(tapA, 2);
    const tapB = await world.consume(backend, b);
    await world.arrive(tapB, 1);
    await world.fence(backend, tapB, 1);
  }),
  it('move.to-other-queue-leaves-none-behind', 'a move to another queue puts one copy there and leaves none', async (world) => {
    const backend = await world.open();
    const source = await world.queue(backend, 'source');
    const target = world.name('target.dead');
    await backend.bind([{ queue: target, kind: 'parked' }]);
    const tap = await world.consume(backend, source);
    const id = await world.send(backend, { to: { queue: source } });
    expectDone(await tap.move((await world.arrive(tap, 1))[0] as Delivery, { queue: target, headers: { why: 'x' } }), 'the move');
    const other = await world.consume(backend, target, { kind: 'parked' });
    const [moved] = (await world.arrive(other, 1)) as [Delivery];
    expectSame(
      [moved.id, moved.queue, { ...moved.headers }, moved.handouts],
      [id, target, { why: 'x' }, 1],
      'the id, queue, headers and hand-outs after the move',
    );
    await world.fence(backend, tap, 1);
  }),
  it(
    'move.to-missing-queue-keeps-the-original',
    'a move to a queue that was never declared is invalid, and the event is still there',
    async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      const id = await world.send(backend, { to: { queue } });
      const [delivery] = (await world.arrive(tap, 1)) as [Delivery];
      const failures = await tap.move(delivery, { queue: world.name('never-declared') });
      expectFailed(failures, { 0: 'invalid' }, 'the move to a queue that is not there');
      expectDone(await tap.move(delivery), 'a move of the original after the refusal');
      await world.arrive(tap, 2);
      expectSame(tap.all[1]?.id, id, 'the id after the refused move');
    },
  ),
  it('move.same-id-twice-in-one-queue', 'two events of one id can lie in one parked queue', async (world) => {
    const backend = await world.open();
    const [a, b] = [await world.queue(backend, 'a'), await world.queue(backend, 'b')];
    const parked = world.name('p.dead');
    await backend.bind([{ queue: parked, kind: 'parked' }]);
    const id = await world.send(backend, { to: { queue: a } });
    await world.send(backend, { to: { queue: b }, id });
    for (const queue of [a, b]) {
      const tap = await world.consume(backend, queue);
      expectDone(await tap.move((await world.arrive(tap, 1))[0] as Delivery, { queue: parked }), 'the move');
    }
    const tap = await world.consume(backend, parked, { kind: 'parked' });
    await world.arrive(tap, 2);
    expectSame(tap.ids, [id, id], 'the ids in the parked queue');
  }),
  it('move.leaves-one-copy', 'what was moved is there once, also when its mover has closed', async (world) => {
    const backend = await world.open();
    const [queue, parked] = [await world.queue(backend, 'q'), world.name('q.dead')];
    await backend.bind([{ queue: parked, kind: 'parked' }]);
    const tap = await world.consume(backend, queue);
    const ids = await world.sendMany(backend, 2, { to: { queue } });
    const [stays, leaves] = [...(await world.arrive(tap, 2))] as [Delivery, Delivery];
    await tap.consumer.stop();
    expectDone(await tap.move(stays), 'the move within the queue');
    expectDone(await tap.move(leaves, { queue: parked }), 'the move to the parked queue');
    await backend.close();
    const again = await world.open();
    const taps = [await world.consume(again, queue), await world.consume(again, parked, { kind: 'parked' })] as const;
    for (const one of taps) {
      await world.reach(1, `copies in '${one.queue}'`, () => one.all.length);
      await world.fence(again, one, 1);
    }
    expectIds([...taps[0].ids, ...taps[1].ids], ids, 'what was moved');
  }),
  it('move.frees-its-id', 'an id whose event was moved away can be sent to the queue again', async (world) => {
    const backend = await world.open();
    const [queue, parked] = [await world.queue(backend, 'q'), world.name('q.dead')];
    await backend.bind([{ queue: parked, kind: 'parked' }]);
    const id = await world.send(backend, { to: { queue } });
    const tap = await world.consume(backend, queue);
    expectDone(await tap.move((await world.arrive(tap, 1))[0] as Delivery, { queue: parked }), 'the move');
    await world.send(backend, { to: { queue }, id });
    await world.arrive(tap, 2);
    expectIds(tap.ids, [id, id], 'the event before the move and the one that was sent after it');
  }),
  it('move.races-claim', 'whoever gets a moved event gets it as the last move left it, once', async (world) => {
    const backends = [await world.open(), await world.open(), await world.open()] as const;
    const queue = await world.queue(backends[0], 'q');
    const seen: string[] = [];
    for (const backend of backends) {
      const tap = await world.consume(backend, queue, { max: 20 });
      tap.onDelivery = (delivery): void => {
        const step = Number(delivery.headers.step ?? 0);
        seen.push(`${delivery.id} at step ${step}, hand-out ${delivery.handouts}`);
        const next = { at: delivery.at, headers: { step: String(step + 1) } };
        void (step < 9 ? tap.move(delivery, next) : tap.ack(delivery)).catch(() => {});
      };
    }
    const ids = await world.sendMany(backends[0], 30, { to: { queue } });
    await world.reach(300, 'hand-outs', () => seen.length);
    const steps = Array.from({ length: 10 }, (_, step) => ids.map((id) => `${id} at step ${step}, hand-out 1`));
    expectIds(seen, steps.flat(), 'hand-outs');
  }),
];
