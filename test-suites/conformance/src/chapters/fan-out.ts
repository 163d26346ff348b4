import { type Chapter, it } from '../case.ts';
import { expectDone, expectIds, expectResolves } from '../expect.ts';

export const fanOut: Chapter = {
  name: 'fan-out',
  cases: [
    it('fanout.each-queue-gets-one-copy', 'each subscribed queue gets one copy, with the same id', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      const queues = [await world.queue(backend, 'a', event), await world.queue(backend, 'b', event)];
      const id = await world.send(backend, { to: { event } });
      for (const queue of queues) {
        const tap = await world.consume(backend, queue);
        await world.arrive(tap, 1);
        expectIds(tap.ids, [id], 'deliveries');
        await world.fence(backend, tap, 1);
      }
    }),
    it('fanout.copies-settle-independently', 'acking the copy of one queue leaves that of another', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      const a = await world.queue(backend, 'a', event);
      const b = await world.queue(backend, 'b', event);
      const id = await world.send(backend, { to: { event } });
      const tapA = await world.consume(backend, a);
      expectDone(await tapA.ack(...(await world.arrive(tapA, 1))), 'the ack');
      const tapB = await world.consume(backend, b);
      await world.arrive(tapB, 1);
      expectIds(tapB.ids, [id], 'deliveries');
    }),
    it('fanout.bind-twice-one-copy', 'the same binding made twice is one', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      const queue = await world.queue(backend, 'q', event);
      await world.queue(backend, 'q', event, event);
      await world.send(backend, { to: { event } });
      const tap = await world.consume(backend, queue);
      await world.arrive(tap, 1);
      await world.fence(backend, tap, 1);
    }),
    it(
      'bind.overlapping-patterns-one-copy',
      'several bindings of one queue that match one event are still one copy',
      async (world) => {
        const backend = await world.open();
        const event = world.name('user.added');
        const queue = await world.queue(backend, 'q', event, world.name('user.*'), world.name('#'), world.name('*.added'));
        const id = await world.send(backend, { to: { event } });
        const tap = await world.consume(backend, queue);
        await world.arrive(tap, 1);
        expectIds(tap.ids, [id], 'deliveries');
        await world.fence(backend, tap, 1);
      },
    ),
    it('fanout.wildcards-stand-for-words', '* is one word and # is zero or more, wherever they stand', async (world) => {
      const backend = await world.open();
      const table: Record<string, readonly string[]> = {
        'a.*': ['a.b', 'a.c'],
        'a.#': ['a', 'a.b', 'a.c', 'a.b.c'],
        '*.c': ['a.c'],
        '#.c': ['a.c', 'a.b.c', 'c'],
        'a.*.c': ['a.b.c'],
        'a.#.c': ['a.c', 'a.b.c'],
        'a.b': ['a.b'],
      };
      const queues = await Promise.all(
        Object.keys(table).map((pattern, i) => world.queue(backend, `q${i}`, world.name(pattern))),
      );
      const ids = new Map<string, string>();
      for (const name of ['a', 'c', 'a.b', 'a.c', 'a.b.c'])
        ids.set(name, await world.send(backend, { to: { event: world.name(name) } }));
      for (const [i, [pattern, names]] of Object.entries(table).entries()) {
        const tap = await world.consume(backend, queues[i] as string);
        await world.until(`${pattern} to get ${names.join(', ')}`, () => tap.all.length >= names.length);
        const expected = names.map((name) => ids.get(name));
        expectIds(tap.ids, expected, `the pattern ${pattern}`);
        await world.fence(backend, tap, names.length);
      }
    }),
    it('fanout.unbind-one-of-two', 'without its binding a queue gets nothing new, and another still does', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      const a = await world.queue(backend, 'a', event);
      const b = await world.queue(backend, 'b', event);
      await backend.unbind([{ queue: a, pattern: event, kind: 'work' }]);
      const id = await world.send(backend, { to: { event } });
      const tapB = await world.consume(backend, b);
      await world.arrive(tapB, 1);
      expectIds(tapB.ids, [id], 'deliveries');
      await world.fence(backend, await world.consume(backend, a), 0);
    }),
    it(
      'fanout.unbind-stops-new-keeps-old',
      'unbind holds from the moment it resolves, and what was queued stays',
      async (world) => {
        const backend = await world.open();
        const event = world.name('e');
        const queue = await world.queue(backend, 'q', event);
        const old = await world.send(backend, { to: { event } });
        await backend.unbind([{ queue, pattern: event, kind: 'work' }]);
        await world.send(backend, { to: { event } });
        const tap = await world.consume(backend, queue);
        await world.arrive(tap, 1);
        expectIds(tap.ids, [old], 'deliveries');
        await world.fence(backend, tap, 1);
      },
    ),
    it('fanout.unbind-what-is-not-bound', 'unbinding what was never bound, or is bound no more, resolves', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      const queue = await world.queue(backend, 'q', event);
      const unbind = (pattern: string, from = queue): Promise<void> => backend.unbind([{ queue: from, pattern, kind: 'work' }]);
      await expectResolves(unbind(world.name('other')), 'unbind() of a pattern that was never bound');
      await expectResolves(unbind(event, world.name('never-declared')), 'unbind() from a queue that is not there');
      const tap = await world.consume(backend, queue);
      await world.send(backend, { to: { event } });
      await world.arrive(tap, 1);
      await expectResolves(unbind(event), 'unbind()');
      await expectResolves(unbind(event), 'the second unbind() of one binding');
      await world.send(backend, { to: { event } });
      await world.fence(backend, tap, 1);
    }),
    it('fanout.bind-visible-at-once', 'what one backend binds or unbinds holds for the next send of another', async (world) => {
      const [one, other] = [await world.open(), await world.open()];
      const [event, elsewhere] = [world.name('e'), world.name('elsewhere')];
      const queue = await world.queue(one, 'q');
      const bindings = [{ queue, pattern: event, kind: 'work' }] as const;
      const tap = await world.consume(one, queue);
      await world.send(other, { to: { event } });
      for (let round = 1; round <= 10; round++) {
        // whatever the other remembers is as young as can be when the binding is made
        await Promise.all([one.bind(bindings), world.send(other, { to: { event: elsewhere } })]);
        await world.send(other, { to: { event } });
        await world.arrive(tap, round);
        await one.unbind(bindings);
        await world.send(other, { to: { event } });
      }
      await world.fence(other, tap, 10);
    }),
    it(
      'fanout.other-event-not-delivered',
      'names are compared whole, byte for byte, and characters of other worlds mean nothing',
      async (world) => {
        const backend = await world.open();
        const event = world.name('user.added');
        const queue = await world.queue(backend, 'q', event);
        const odd = [
          'user',
          'user.added.now',
          'user.adde',
          'ser.added',
          'User.added',
          'user/added',
          'user+added',
          'user.added$',
          'userxadded',
        ];
        for (const name of odd) await world.send(backend, { to: { event: world.name(name) } });
        await world.fence(backend, await world.consume(backend, queue), 0);
      },
    ),
    it(
      'fanout.queue-address-skips-bindings',
      'an event for one queue reaches that one, whoever subscribed its name',
      async (world) => {
        const backend = await world.open();
        const event = world.name('e');
        const a = await world.queue(backend, 'a', event);
        const b = await world.queue(backend, 'b', event);
        const id = await world.send(backend, { to: { queue: a }, name: event });
        const tapA = await world.consume(backend, a);
        await world.arrive(tapA, 1);
        expectIds(tapA.ids, [id], 'deliveries');
        await world.fence(backend, await world.consume(backend, b), 0);
      },
    ),
    it('fanout.no-history-for-late-binding', 'a queue gets nothing that was published before its binding', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      const early = await world.queue(backend, 'early', event);
      await world.send(backend, { to: { event } });
      const late = await world.queue(backend, 'late', event);
      const id = await world.send(backend, { to: { event } });
      const tap = await world.consume(backend, late);
      await world.arrive(tap, 1);
      expectIds(tap.ids, [id], 'deliveries');
      await world.arrive(await world.consume(backend, early), 2);
      await world.fence(backend, tap, 1);
    }),
    it('fanout.many-queues', 'one event for 100 queues is in each of them', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      const queues = Array.from({ length: 100 }, (_, i) => world.name(`q${i}`));
      await backend.bind(queues.map((queue) => ({ queue, pattern: event, kind: 'work' })));
      const id = await world.send(backend, { to: { event } });
      const taps = await Promise.all(queues.map((queue) => world.consume(backend, queue, { max: 5 })));
      await Promise.all(taps.map((tap) => world.arrive(tap, 1)));
      for (const tap of taps) expectIds(tap.ids, [id], 'deliveries');
    }),
    it('bind.first-kind-wins', 'declaring a queue again as the other kind is no error and changes nothing', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const id = await world.send(backend, { to: { queue } });
      await backend.bind([{ queue, kind: 'parked' }]);
      const tap = await world.consume(backend, queue);
      await world.arrive(tap, 1);
      expectIds(tap.ids, [id], 'deliveries');
      await world.fence(backend, tap, 1);
    }),
  ],
};
