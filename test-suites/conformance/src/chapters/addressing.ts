import assert from 'node:assert/strict';
import type { Backend, Binding, Deduplicated, Delivery, Stored } from 'wrkr/backend';
import { browseAll, type Chapter, cancelAll, change, dedupe, filterBy, it, stats } from '../case.ts';

type Full = Required<Pick<Backend, 'cancel' | 'change' | 'browse' | 'stats'>> & Backend;

export const addressing: Chapter = {
  name: 'finding and changing',
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
        assert.equal(await backend.cancel({ queue, id: held.id }), 0);
        assert.equal(await backend.cancel({ queue, id: waits }), 1);
        assert.equal(await backend.cancel({ queue, id: waits }), 0);
        assert.deepEqual(await tap.ack(held), []);
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
        assert.equal(await backend.cancel({ queue: a, key: 'k' }), 1);
        for (const [queue, id] of [
          [a, other],
          [b, elsewhere],
        ] as const) {
          const tap = await world.consume(backend, queue);
          await world.arrive(tap, 1);
          assert.deepEqual(tap.ids, [id]);
        }
      },
      { needs: [cancelAll, filterBy('key')] },
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
        assert.equal(changed, 1);
        const tap = await world.consume(backend, to);
        const [delivery] = await world.arrive(tap, 1);
        assert.deepEqual(
          [delivery?.id, { ...delivery?.headers }, delivery?.handouts],
          [id, { keep: '1', change: '2', add: '3' }, 1],
        );
        assert.equal(await backend.change({ queue: from, id }, { queue: to }), 0);
      },
      { needs: [change, filterBy('id')] },
    ),
    it(
      'change.to-missing-queue-changes-nothing',
      'a change to a queue that was never declared is invalid',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        const id = await world.send(backend, { to: { queue } });
        assert.equal(await world.refusal(backend.change({ queue, id }, { queue: world.name('never-declared') })), 'invalid');
        const tap = await world.consume(backend, queue);
        await world.arrive(tap, 1);
        assert.deepEqual(tap.ids, [id]);
      },
      { needs: [change, filterBy('id')] },
    ),
    it(
      'dedupe.same-key-once',
      'while an event of a key waits or is held in a queue, a further one stores nothing there',
      async (world) => {
        const backend = await world.open();
        const event = world.name('e');
        const queue = await world.queue(backend, 'q', event);
        const first = await world.send(backend, { to: { queue }, key: 'k' });
        const again = async (): Promise<readonly Deduplicated[]> =>
          (await backend.send([world.outgoing({ to: { queue }, key: 'k' })])).deduplicated;
        const waiting = await again();
        const tap = await world.consume(backend, queue);
        const held = [...(await world.arrive(tap, 1))];
        const instead = [{ index: 0, id: first, at: held[0]?.at }];
        assert.deepEqual(waiting, instead, 'while it waits');
        assert.deepEqual(await again(), instead, 'while it is held');
        await tap.ack(...held);
        assert.deepEqual(await again(), [], 'after it is done');
        await world.arrive(tap, 2);
      },
      { needs: [dedupe] },
    ),
    it(
      'dedupe.per-queue',
      'a key counts in each queue by itself, and a move within the queue keeps it',
      async (world) => {
        const backend = await world.open();
        const event = world.name('e');
        const [a, b] = [await world.queue(backend, 'a', event), await world.queue(backend, 'b', event)];
        await world.send(backend, { to: { queue: a }, key: 'k' });
        const tapA = await world.consume(backend, a, { max: 1 });
        await tapA.move((await world.arrive(tapA, 1))[0] as Delivery, { at: backend.now() + 3_600_000 });
        const second = world.outgoing({ to: { event }, key: 'k' });
        assert.deepEqual(await backend.send([second]), { failures: [], deduplicated: [] }, 'it was stored in b');
        const tapB = await world.consume(backend, b);
        await world.arrive(tapB, 1);
        assert.equal(tapB.all[0]?.id, second.id);
        await world.fence(backend, tapA, 1);
      },
      { needs: [dedupe] },
    ),
    it(
      'dedupe.dropped-with-the-queue',
      'a move to another queue frees the key',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const parked = world.name('q.dead');
        await backend.bind([{ queue: parked, kind: 'parked' }]);
        await world.send(backend, { to: { queue }, key: 'k' });
        const tap = await world.consume(backend, queue);
        await tap.move((await world.arrive(tap, 1))[0] as Delivery, { queue: parked });
        assert.deepEqual((await backend.send([world.outgoing({ to: { queue }, key: 'k' })])).deduplicated, []);
        await world.arrive(tap, 2);
      },
      { needs: [dedupe] },
    ),
    it(
      'browse.shows-without-consuming',
      'browse shows what is there, in whatever state, and takes nothing',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 1 });
        const held = await world.send(backend, { to: { queue }, tid: 't', headers: { h: '1' } });
        await world.arrive(tap, 1);
        const ready = await world.send(backend, { to: { queue } });
        const delayed = world.capabilities.delay
          ? await world.send(backend, { to: { queue }, at: backend.now() + 60_000 })
          : undefined;
        const { items, next } = await backend.browse({ queue }, { limit: 10 });
        assert.equal(next, undefined);
        const states = Object.fromEntries(items.map(({ id, state }) => [id, state]));
        assert.deepEqual(states, { [held]: 'held', [ready]: 'ready', ...(delayed && { [delayed]: 'delayed' }) });
        const item = items.find(({ id }) => id === held) as Stored;
        assert.deepEqual([item.tid, { ...item.headers }, item.body.byteLength, item.queue], ['t', { h: '1' }, 3, queue]);
        await tap.ack(...tap.held);
        await world.arrive(tap, 2);
      },
      { needs: [browseAll] },
    ),
    it(
      'browse.filters',
      'browse finds by each declared key and by several at once',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        const [a, b] = [world.name('a'), world.name('b')];
        const first = await world.send(backend, { to: { queue }, name: a, tid: 't1', key: 'k1' });
        const second = await world.send(backend, { to: { queue }, name: a, tid: 't2', key: 'k2' });
        const third = await world.send(backend, { to: { queue }, name: b, tid: 't1', key: 'k3' });
        const found = async (filter: object): Promise<readonly string[]> =>
          (await backend.browse({ queue, ...filter }, { limit: 10 })).items.map(({ id }) => id).sort();
        const { filter } = world.capabilities;
        if (filter.includes('id')) assert.deepEqual(await found({ id: second }), [second]);
        if (filter.includes('name')) assert.deepEqual(await found({ name: a }), [first, second].sort());
        if (filter.includes('tid')) assert.deepEqual(await found({ tid: 't1' }), [first, third].sort());
        if (filter.includes('key')) assert.deepEqual(await found({ key: 'k3' }), [third]);
        if (filter.includes('tid') && filter.includes('name')) assert.deepEqual(await found({ tid: 't1', name: a }), [first]);
        assert.deepEqual(await found({ id: 'nobody' }), []);
      },
      { needs: [browseAll] },
    ),
    it(
      'browse.pages',
      'page by page everything is seen once',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        const ids = await world.sendMany(backend, 25, { to: { queue } });
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const page = await backend.browse({ queue }, { limit: 10, ...(after !== undefined && { after }) });
          assert.ok(page.items.length <= 10, 'a page is longer than its limit');
          seen.push(...page.items.map(({ id }) => id));
          after = page.next;
        } while (after !== undefined && seen.length <= ids.length);
        assert.deepEqual([...seen].sort(), [...ids].sort());
      },
      { needs: [browseAll] },
    ),
    it(
      'bindings.lists-and-filters',
      'bindings() gives exactly what was declared and bound',
      async (world) => {
        const backend = await world.open();
        const [x, y] = [world.name('x'), world.name('y.#')];
        const a = await world.queue(backend, 'a', x, y);
        const b = await world.queue(backend, 'b', x);
        const list = async (filter: Partial<Binding>): Promise<readonly string[]> => {
          const all = (await backend.bindings?.(filter)) ?? [];
          return all
            .filter(({ queue }) => [a, b].includes(queue))
            .map(({ queue, pattern }) => `${queue} ${pattern}`)
            .sort();
        };
        assert.deepEqual(await list({ queue: a }), [`${a} ${undefined}`, `${a} ${x}`, `${a} ${y}`].sort());
        assert.deepEqual(await list({ pattern: x }), [`${a} ${x}`, `${b} ${x}`].sort());
        assert.deepEqual(await list({ queue: a, pattern: y }), [`${a} ${y}`]);
        assert.deepEqual(await list({ kind: 'parked' }), []);
        await backend.unbind([{ queue: a, pattern: x, kind: 'work' }]);
        assert.deepEqual(await list({ pattern: x }), [`${b} ${x}`]);
      },
      { methods: ['bindings'] },
    ),
    it(
      'stats.counts',
      'stats() counts what is ready, delayed and held',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        const before = backend.now();
        await world.sendMany(backend, 3, { to: { queue } });
        if (world.capabilities.delay) await world.send(backend, { to: { queue }, at: backend.now() + 60_000 });
        const tap = await world.consume(backend, queue, { max: 1 });
        await world.arrive(tap, 1);
        const { ready, delayed, held, oldestReadyAt } = await backend.stats(queue);
        const expected = { ready: 2, delayed: world.capabilities.delay ? 1 : 0, held: 1 };
        for (const [figure, value] of Object.entries({ ready, delayed, held })) {
          if (value !== null) assert.equal(value, expected[figure as 'ready'], figure);
        }
        if (oldestReadyAt !== null) assert.ok(oldestReadyAt >= before - world.span(0, 60_000) && oldestReadyAt <= backend.now());
        const unknown = await backend.stats(world.name('unknown'));
        for (const figure of ['ready', 'delayed', 'held'] as const) assert.ok(unknown[figure] === 0 || unknown[figure] === null);
      },
      { needs: [stats] },
    ),
    it(
      'drop.removes-contents-and-bindings',
      'drop() removes a queue with its events and bindings',
      async (world) => {
        const backend = await world.open();
        const event = world.name('e');
        const queue = await world.queue(backend, 'q', event);
        await world.send(backend, { to: { event } });
        await backend.drop?.(queue);
        await backend.drop?.(queue);
        await world.send(backend, { to: { event } });
        await world.queue(backend, 'q');
        await world.fence(backend, await world.consume(backend, queue), 0);
      },
      { methods: ['drop'] },
    ),
  ],
};
