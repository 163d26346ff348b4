import assert from 'node:assert/strict';
import type { Backend } from 'wrkr/backend';
import { type Case, type Chapter, it, type OptionalMethod } from '../case.ts';
import { Tap } from '../tap.ts';
import type { World } from '../world.ts';

type Call = (backend: Backend, world: World) => Promise<unknown> | undefined;

/** Every method that needs an open backend. */
const calls: Record<string, Call> = {
  bind: (backend, world) => backend.bind([{ queue: world.name('q'), pattern: 'a.b', kind: 'work' }]),
  unbind: (backend, world) => backend.unbind([{ queue: world.name('q'), pattern: 'a.b', kind: 'work' }]),
  send: (backend, world) => backend.send([world.outgoing({ to: { event: 'a.b' } })]),
  consume: (backend, world) =>
    backend.consume(world.name('q'), new Tap(world.name('q'), () => backend.now()), { max: 1, leaseMs: 60_000, kind: 'work' }),
  cancel: (backend) => backend.cancel?.({ id: 'x' }),
  change: (backend) => backend.change?.({ id: 'x' }, { at: 1 }),
  browse: (backend) => backend.browse?.({}, { limit: 1 }),
  bindings: (backend) => backend.bindings?.(),
  stats: (backend, world) => backend.stats?.(world.name('q')),
  drop: (backend, world) => backend.drop?.(world.name('q')),
};

async function refusesAsClosed(world: World, backend: Backend, call: Call): Promise<void> {
  let answer: Promise<unknown> | undefined;
  assert.doesNotThrow(() => {
    answer = call(backend, world);
  }, 'it must reject, not throw');
  assert.equal(await world.refusal(Promise.resolve(answer)), 'closed');
}

const optional: readonly string[] = ['cancel', 'change', 'browse', 'bindings', 'stats', 'drop'] satisfies OptionalMethod[];

function traits(method: string, call: Call): readonly Case[] {
  const gates = { methods: optional.includes(method) ? [method as OptionalMethod] : [] };
  const neverOpened: Case['run'] = (world) => refusesAsClosed(world, world.create(), call);
  const closed: Case['run'] = async (world) => {
    const backend = await world.open();
    await backend.close();
    await refusesAsClosed(world, backend, call);
  };
  return [
    it(`trait.never-opened.${method}`, `${method}() before open() rejects with closed`, neverOpened, gates),
    it(`trait.closed.${method}`, `${method}() after close() rejects with closed`, closed, gates),
  ];
}

export const lifecycle: Chapter = {
  name: 'lifecycle',
  cases: [
    it('life.open-twice-is-one-open', 'a second open() resolves, and changes and says nothing', async (world) => {
      const backend = await world.open();
      await world.open(backend);
      assert.deepEqual(world.witness(backend).states, ['up']);
    }),
    it('life.state-events', 'it says up once it is open, and closed once, last', async (world) => {
      const backend = await world.open();
      await backend.close();
      await backend.close();
      assert.deepEqual(world.witness(backend).states, ['up', 'closed']);
    }),
    it('life.close-idempotent', 'close() may be called twice, in parallel, and before open()', async (world) => {
      await world.create().close();
      const backend = await world.open();
      await Promise.all([backend.close(), backend.close()]);
      await backend.close();
    }),
    it('life.closed-for-good', 'open() after close() rejects with closed', async (world) => {
      const backend = await world.open();
      await backend.close();
      assert.equal(await world.refusal(world.open(backend)), 'closed');
      assert.deepEqual(world.witness(backend).states, ['up', 'closed']);
    }),
    it('life.close-leaves-nothing', 'close() leaves no timer behind, whatever waits or is held', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      await world.send(backend, { to: { queue } });
      await world.arrive(tap, 1);
      if (world.capabilities.delay) await world.send(backend, { to: { queue }, at: backend.now() + 3_600_000 });
      await backend.close();
      assert.equal(world.timers, 0, 'timers are left');
    }),
    ...Object.entries(calls).flatMap(([method, call]) => traits(method, call)),
  ],
};
