import assert from 'node:assert/strict';
import type { Outgoing } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { expectDone, expectIds, expectResolves, expectSame } from '../expect.ts';
import { dedupe } from '../needs.ts';

export const publishing: Chapter = {
  name: 'publishing',
  cases: [
    it('publish.delivers-every-field', 'what was sent is delivered, field by field, once, as a first hand-out', async (world) => {
      const backend = await world.open();
      const event = world.name('user.added');
      const queue = await world.queue(backend, 'q', event);
      const body = Uint8Array.from({ length: 256 }, (_, i) => i);
      const headers = { 'content-type': 'x/y', 'wrkr-parent': 'p1' };
      const sentAt = backend.now() - 5000;
      const out = world.outgoing({ to: { event }, tid: 'user-1', headers, body, sentAt });
      const before = backend.now();
      expectDone((await backend.send([out])).failures, 'the send');
      const tap = await world.consume(backend, queue);
      const [delivery] = await world.arrive(tap, 1);
      assert.ok(delivery, 'nothing was delivered');
      const { id, name, tid, sentAt: sent, handouts } = delivery;
      expectSame(
        { id, name, queue: delivery.queue, tid, sentAt: sent, handouts },
        { id: out.id, name: event, queue, tid: 'user-1', sentAt, handouts: 1 },
        'the fields',
      );
      expectSame({ ...delivery.headers }, headers, 'the headers');
      expectSame(Uint8Array.from(delivery.body), body, 'the body');
      assert.ok(delivery.at >= before - world.span(0, 60_000), `at is ${delivery.at}, and it was sent at ${before}`);
      await world.fence(backend, tap, 1);
    }),
    it(
      'publish.delivers-the-key',
      'an event arrives with its key, and without one where it has none',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const keyed = await world.send(backend, { to: { queue }, key: 'ž k' });
        const bare = await world.send(backend, { to: { queue } });
        const tap = await world.consume(backend, queue);
        await world.arrive(tap, 2);
        const keys = Object.fromEntries(tap.all.map(({ id, key }) => [id, key]));
        expectSame(keys, { [keyed]: 'ž k', [bare]: undefined }, 'the keys');
      },
      { needs: [dedupe] },
    ),
    it('publish.stored-before-resolve', 'once send() has resolved, a consumer that comes later gets the event', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      const queue = await world.queue(backend, 'q', event);
      const id = await world.send(backend, { to: { event } });
      const other = await world.open();
      const tap = await world.consume(other, queue);
      await world.arrive(tap, 1);
      expectIds(tap.ids, [id], 'deliveries');
    }),
    it('publish.no-binding-is-not-an-error', 'an event that nobody subscribed is taken and stored nowhere', async (world) => {
      const backend = await world.open();
      const event = world.name('e');
      await world.send(backend, { to: { event } });
      const queue = await world.queue(backend, 'q', event);
      await world.fence(backend, await world.consume(backend, queue), 0);
    }),
    it(
      'publish.caller-may-reuse-buffers',
      'the array and the objects of a send() are the caller’s again afterwards',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const out = { ...world.outgoing({ to: { queue }, tid: 'before' }) };
        const batch: Outgoing[] = [out];
        await backend.send(batch);
        batch.length = 0;
        Object.assign(out, {
          id: 'another',
          name: 'another',
          tid: 'after',
          to: { queue: 'another' },
          at: 9e12,
          body: new Uint8Array(0),
          headers: { no: 'no' },
        });
        const [delivery] = await world.arrive(await world.consume(backend, queue), 1);
        expectSame(
          [delivery?.tid, delivery?.name, delivery?.body.byteLength, { ...delivery?.headers }],
          ['before', world.name('event'), 3, {}],
          'the tid, name, size and headers',
        );
      },
    ),
    it(
      'publish.partial-failure-is-per-item',
      'one bad item of a batch fails by its index, and the others are stored',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const good = [world.outgoing({ to: { queue } }), world.outgoing({ to: { queue } })];
        const bad = world.outgoing({ to: { queue: world.name('never-declared') } });
        const { failures } = await backend.send([good[0] as Outgoing, bad, good[1] as Outgoing]);
        expectSame(
          failures.map(({ index, error }) => [index, error.code, error.applied]),
          [[1, 'invalid', 'no']],
          'the failures',
        );
        const tap = await world.consume(backend, queue);
        await world.arrive(tap, 2);
        expectIds(
          tap.ids,
          good.map(({ id }) => id),
          'deliveries',
        );
      },
    ),
    it('publish.batch-at-limit', 'a batch of the greatest size that is declared is taken whole', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const batch = Array.from({ length: world.capabilities.limits.batch }, () => world.outgoing({ to: { queue } }));
      expectDone((await backend.send(batch)).failures, 'the send');
      const tap = (await world.consume(backend, queue)).ackAll();
      await world.arrive(tap, batch.length);
      expectIds(
        tap.ids,
        batch.map(({ id }) => id),
        'deliveries',
      );
    }),
    it('publish.concurrent', 'of sends that are under way at once none is lost and none doubled', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const send = (): Promise<readonly string[]> => world.sendMany(backend, 20, { to: { queue } });
      const ids = (await Promise.all(Array.from({ length: 10 }, send))).flat();
      const tap = (await world.consume(backend, queue)).ackAll();
      await world.arrive(tap, 200);
      expectIds(tap.ids, ids, 'deliveries');
    }),
    it('publish.unrouted-is-true', 'what is said to have no subscriber has none', async (world) => {
      const backend = await world.open();
      const [heard, unheard] = [world.name('heard'), world.name('unheard')];
      const tap = await world.consume(backend, await world.queue(backend, 'q', heard));
      const nobody = await world.send(backend, { to: { event: unheard } });
      await world.send(backend, { to: { event: heard } });
      await world.arrive(tap, 1);
      const { unrouted } = world.witness(backend);
      assert.ok(unrouted.length <= 1 && unrouted.every((id) => id === nobody), `it said this of ${unrouted.join(', ')}`);
    }),
    it('publish.empty-batch', 'sending nothing resolves', async (world) => {
      const backend = await world.open();
      const { failures } = await expectResolves(backend.send([]), 'a send of nothing');
      expectDone(failures, 'a send of nothing');
    }),
    it('publish.same-id-again', 'an id that is sent twice is stored once or twice, never less', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const id = await world.send(backend, { to: { queue } });
      await world.send(backend, { to: { queue }, id });
      const tap = await world.consume(backend, queue);
      await world.until('the event', () => tap.all.length >= 1);
      const fence = await world.send(backend, { to: { queue } });
      await world.until('the fence', () => tap.ids.includes(fence));
      const copies = tap.ids.filter((one) => one === id).length;
      assert.ok(copies === 1 || copies === 2, `there were ${copies} copies`);
    }),
    it(
      'body.bytes',
      'every byte value arrives, in a body of none, of one byte and of a megabyte, also after a move',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const size = Math.min(1_000_000, world.capabilities.limits.bodyBytes);
        const bodies = [
          new Uint8Array(0),
          new Uint8Array([0]),
          Uint8Array.from({ length: size + 9 }, (_, i) => i % 251).subarray(5, size + 5),
        ];
        for (const body of bodies) await world.send(backend, { to: { queue }, body });
        const tap = await world.consume(backend, queue);
        await world.arrive(tap, 3);
        for (const delivery of [...tap.all]) await tap.move(delivery);
        await world.arrive(tap, 6);
        const lengths = tap.all.map(({ body }) => body.byteLength).sort((a, b) => a - b);
        expectSame(lengths, [0, 0, 1, 1, size, size], 'the lengths of the bodies');
        for (const { body } of tap.all)
          assert.ok(
            Buffer.from(body).equals(bodies.find((one) => one.byteLength === body.byteLength) as Uint8Array),
            'a body arrived with other bytes than were sent',
          );
      },
    ),
    it('headers.keys-of-other-worlds', 'keys that mean something to a protocol or a language mean nothing', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const keys = [
        'CC',
        'BCC',
        'x-death',
        'x-delivery-count',
        'x-match',
        'x-delay',
        'content-type',
        'a.b',
        'Case',
        'case',
        'toString',
        '0',
      ];
      const headers = Object.fromEntries(keys.map((key) => [key, `my ${key}`]));
      await world.send(backend, { to: { queue }, headers });
      const [delivery] = await world.arrive(await world.consume(backend, queue), 1);
      expectSame({ ...delivery?.headers }, headers, 'the headers');
    }),
    it('headers.fidelity', 'headers arrive as they are: unicode, newlines, empty, many, long', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, String(i)]));
      const room = Math.min(4000, world.capabilities.limits.headerBytes - 1000);
      const headers = {
        ...many,
        unicode: 'žluťoučký 🐎',
        newline: 'a\nb\r\n',
        empty: '',
        long: 'x'.repeat(room),
        constructor: 'c',
      };
      await world.send(backend, { to: { queue }, headers });
      const [delivery] = await world.arrive(await world.consume(backend, queue), 1);
      expectSame({ ...delivery?.headers }, headers, 'the headers');
    }),
  ],
};
