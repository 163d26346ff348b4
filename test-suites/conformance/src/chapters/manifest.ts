import assert from 'node:assert/strict';
import { type Chapter, it } from '../case.ts';
import { expectSame } from '../expect.ts';
import { noDedupe } from '../needs.ts';

export const manifest: Chapter = {
  name: 'manifest',
  cases: [
    it(
      'caps.plain-and-stable',
      'capabilities are plain JSON, the same before open, after open and after close',
      async (world) => {
        const backend = await world.create();
        await world.open(backend);
        const opened = JSON.stringify(backend.capabilities);
        expectSame(backend.capabilities, JSON.parse(opened), 'the capabilities as they were before JSON');
        await backend.close();
        assert.equal(JSON.stringify(backend.capabilities), opened, 'the capabilities changed at close');
      },
    ),
    it('caps.methods-match-flags', 'an optional method is there exactly if its capability is declared', async (world) => {
      const backend = await world.open();
      const { cancel, change, browse, stats } = backend.capabilities;
      const declared = { cancel: cancel !== false, change, browse: browse !== false, stats: stats !== false };
      for (const [method, flag] of Object.entries(declared)) {
        const there = typeof backend[method as 'cancel'] === 'function';
        assert.equal(there, flag, `${method}() is ${there ? 'there' : 'missing'} and its capability says ${flag}`);
      }
    }),
    it('caps.sane', 'limits and spans are numbers that core can work with', async (world) => {
      const { contract, delay, lease, limits } = (await world.open()).capabilities;
      expectSame(contract, 1, 'the version of the contract');
      const numbers = {
        ...limits,
        ...(delay && { maxMs: delay.maxMs }),
        lease: lease.kind === 'timed' ? lease.minMs : lease.maxMs,
      };
      for (const [what, value] of Object.entries(numbers)) assert.ok(Number.isFinite(value) && value > 0, `${what} is ${value}`);
      assert.ok(limits.headerBytes >= 4096, `limits.headerBytes is ${limits.headerBytes}: core needs 4096 for what it notes`);
      assert.ok(limits.nameBytes >= 205, "limits.nameBytes must leave room for a queue of 200 bytes and '.dead'");
    }),
    it(
      'caps.absent-means-absent',
      'where dedupe is not declared a key keeps nothing out',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const batch = [1, 2].map(() => world.outgoing({ to: { queue }, key: 'k' }));
        expectSame(await backend.send(batch), { failures: [], deduplicated: [] }, 'what became of two events of one key');
        await world.arrive(await world.consume(backend, queue), 2);
      },
      { needs: [noDedupe] },
    ),
  ],
};
