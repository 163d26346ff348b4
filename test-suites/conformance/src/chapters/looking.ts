import assert from 'node:assert/strict';
import type { Backend, Binding, Stored } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { expectIds, expectSame } from '../expect.ts';
import { browseAll, browses, delay, stats } from '../needs.ts';

type Full = Required<Pick<Backend, 'browse' | 'stats'>> & Backend;

/** The only one of its id, as browse shows it. */
async function shownAs(backend: Full, queue: string, id: string): Promise<Stored> {
  const { items } = await backend.browse({ queue }, { limit: 10 });
  const found = items.filter((item) => item.id === id);
  assert.ok(found.length === 1, `browse shows ${found.length} events of the id ${id}`);
  return found[0] as Stored;
}

function expectShown(item: Stored, expected: object): void {
  const plain: Record<string, unknown> = { ...item, headers: { ...item.headers }, body: [...item.body] };
  for (const [field, value] of Object.entries(expected)) expectSame(plain[field], value, `${field} of what is ${item.state}`);
}

export const looking: Chapter = {
  name: 'browse, stats, drop',
  cases: [
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
        expectSame(next, undefined, 'the next page after the last');
        const states = Object.fromEntries(items.map(({ id, state }) => [id, state]));
        expectSame(
          states,
          { [held]: 'held', [ready]: 'ready', ...(delayed && { [delayed]: 'delayed' }) },
          'the states of what is there',
        );
        const item = items.find(({ id }) => id === held) as Stored;
        expectSame(
          [item.tid, { ...item.headers }, item.body.byteLength, item.queue],
          ['t', { h: '1' }, 3, queue],
          'the fields of what is held',
        );
        await tap.ack(...tap.held);
        await world.arrive(tap, 2);
      },
      { needs: [browseAll] },
    ),
    it(
      'browse.shows-every-field',
      'browse shows each field of what is held and of what is delayed as it is',
      async (world) => {
        const backend = (await world.open()) as Full;
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 1 });
        const now = backend.now();
        const fields = { to: { queue }, tid: 't', headers: { h: '1' }, sentAt: now - 5000, body: new Uint8Array([0, 255, 7]) };
        const held = await world.send(backend, { ...fields, key: 'k1' });
        await world.arrive(tap, 1);
        const at = now + 3_600_000;
        const delayed = await world.send(backend, { ...fields, key: 'k2', at });
        const [first, second] = [await shownAs(backend, queue, held), await shownAs(backend, queue, delayed)];
        const { dedupe, handouts } = world.capabilities;
        const same = { name: world.name('event'), queue, tid: 't', headers: { h: '1' }, sentAt: now - 5000, body: [0, 255, 7] };
        const counted = (count: number): object => (handouts === 'exact' ? { handouts: count } : {});
        const keyed = (key: string): object => (dedupe ? { key } : {});
        expectShown(first, { ...same, id: held, state: 'held', ...keyed('k1'), ...counted(1) });
        expectShown(second, { ...same, id: delayed, state: 'delayed', ...keyed('k2'), ...counted(0) });
        expectSame(first.at, tap.all[0]?.at, 'the due time of what is held, and as it was delivered');
        const late = second.at - at;
        const most = world.capabilities.delay ? world.capabilities.delay.granularityMs : 0;
        assert.ok(late >= 0 && late <= most, `what is delayed is shown as due ${late} ms after its time`);
      },
      { needs: [browseAll, delay] },
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
        if (filter.includes('id')) expectSame(await found({ id: second }), [second], 'what was found by id');
        if (filter.includes('name')) expectSame(await found({ name: a }), [first, second].sort(), 'what was found by name');
        if (filter.includes('tid')) expectSame(await found({ tid: 't1' }), [first, third].sort(), 'what was found by tid');
        if (filter.includes('key')) expectSame(await found({ key: 'k3' }), [third], 'what was found by key');
        if (filter.includes('tid') && filter.includes('name'))
          expectSame(await found({ tid: 't1', name: a }), [first], 'what was found by tid and name');
        expectSame(await found({ id: 'nobody' }), [], 'what was found by an id that is not there');
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
        expectIds(seen, ids, 'deliveries');
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
        expectSame(await list({ queue: a }), [`${a} ${undefined}`, `${a} ${x}`, `${a} ${y}`].sort(), 'the bindings of one queue');
        expectSame(await list({ pattern: x }), [`${a} ${x}`, `${b} ${x}`].sort(), 'the bindings of one pattern');
        expectSame(await list({ queue: a, pattern: y }), [`${a} ${y}`], 'the bindings of one queue and pattern');
        expectSame(await list({ kind: 'parked' }), [], 'the bindings of parked queues');
        await backend.unbind([{ queue: a, pattern: x, kind: 'work' }]);
        expectSame(await list({ pattern: x }), [`${b} ${x}`], 'the bindings of the pattern after unbind()');
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
          const right = expected[figure as 'ready'];
          assert.ok(value === null || value === right, `${figure} is ${value}, and ${right} events are ${figure}`);
        }
        const isRecent =
          oldestReadyAt === null || (oldestReadyAt >= before - world.span(0, 60_000) && oldestReadyAt <= backend.now());
        assert.ok(isRecent, `the oldest is said to be ready since ${oldestReadyAt}, and it was sent at ${before}`);
        const unknown = await backend.stats(world.name('unknown'));
        for (const figure of ['ready', 'delayed', 'held'] as const)
          assert.ok(unknown[figure] === 0 || unknown[figure] === null, `${figure} of an unknown queue is ${unknown[figure]}`);
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
    it(
      'drop.with-delayed-events',
      'what was not yet due goes with its queue',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const wait = world.span(60_000, 1000);
        await world.send(backend, { to: { queue }, at: backend.now() + wait });
        await backend.drop?.(queue);
        await world.queue(backend, 'q');
        await world.pass(wait);
        await world.fence(backend, await world.consume(backend, queue), 0);
      },
      { needs: [delay, browses], methods: ['drop'] },
    ),
    it(
      'drop.under-a-consumer',
      'a consumer of a dropped queue gets nothing more and is told, and what it held can do no harm',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const tap = await world.consume(backend, queue, { max: 1 });
        await world.sendMany(backend, 2, { to: { queue } });
        const held = [...(await world.arrive(tap, 1))];
        const other = await world.open();
        await other.drop?.(queue);
        for (const { error } of await tap.ack(...held))
          expectSame(error.code, 'stale', 'the error code of an ack in a dropped queue');
        await world.until('word to the consumer that its queue is gone', () => tap.hasEnded);
        await world.queue(other, 'q');
        await world.fence(other, await world.consume(other, queue), 0);
        assert.equal(tap.all.length, 1, 'the consumer of the dropped queue got more');
      },
      { methods: ['drop'] },
    ),
  ],
};
