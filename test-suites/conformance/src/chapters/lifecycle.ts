import assert from 'node:assert/strict';
import type { Backend, BackendError } from 'wrkr/backend';
import { type Case, type Chapter, it, type OptionalMethod } from '../case.ts';
import { expectResolves, expectSame } from '../expect.ts';
import { network } from '../needs.ts';
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

async function refusesAsClosed(world: World, backend: Backend, method: string): Promise<void> {
  let answer: Promise<unknown> | undefined;
  assert.doesNotThrow(() => {
    answer = calls[method]?.(backend, world);
  }, `${method}() must reject, not throw`);
  expectSame(await world.refusal(Promise.resolve(answer), `${method}()`), 'closed', `the error code of ${method}()`);
}

const optional: readonly string[] = ['cancel', 'change', 'browse', 'bindings', 'stats', 'drop'] satisfies OptionalMethod[];

function traits(method: string): readonly Case[] {
  const gates = { methods: optional.includes(method) ? [method as OptionalMethod] : [] };
  const neverOpened: Case['run'] = async (world) => refusesAsClosed(world, await world.create(), method);
  const closed: Case['run'] = async (world) => {
    const backend = await world.open();
    await backend.close();
    await refusesAsClosed(world, backend, method);
  };
  return [
    it(`trait.never-opened.${method}`, `${method}() before open() rejects with closed`, neverOpened, gates),
    it(`trait.closed.${method}`, `${method}() after close() rejects with closed`, closed, gates),
  ];
}

const errorOf = (error: BackendError): BackendError => error;

async function leavesNoTimer(world: World, backend: Backend, queue: string): Promise<void> {
  const tap = await world.consume(backend, queue);
  await world.send(backend, { to: { queue } });
  await world.arrive(tap, 1);
  if (world.capabilities.delay) await world.send(backend, { to: { queue }, at: backend.now() + 3_600_000 });
  await backend.close();
  assert.equal(world.timers, 0, 'timers are left');
}

/** Only a process can tell what keeps a process alive. */
async function endsByItself(world: World, queue: string): Promise<void> {
  const child = world.child('worksAndCloses', { queue, leaseMs: world.leaseMs });
  await world.until('its close() to resolve', () => child.messages.includes('closed'), 15_000);
  child.release();
  await world.until('its process to end', () => child.exit !== undefined, 3000);
  expectSame(child.exit, 0, 'the exit code of the process');
}

export const lifecycle: Chapter = {
  name: 'lifecycle',
  cases: [
    it('life.open-twice-is-one-open', 'a second open() resolves, and changes and says nothing', async (world) => {
      const backend = await world.open();
      await world.open(backend);
      expectSame(world.witness(backend).states, ['up'], 'the states');
    }),
    it('life.state-events', 'it says up once it is open, and closed once, last', async (world) => {
      const backend = await world.open();
      await backend.close();
      await backend.close();
      expectSame(world.witness(backend).states, ['up', 'closed'], 'the states');
    }),
    it('life.close-idempotent', 'close() may be called twice, in parallel, and before open()', async (world) => {
      await expectResolves((await world.create()).close(), 'close() before open()');
      const backend = await world.open();
      await expectResolves(Promise.all([backend.close(), backend.close()]), 'close() twice at once');
      await expectResolves(backend.close(), 'close() after close()');
    }),
    it('life.closed-for-good', 'open() after close() rejects with closed', async (world) => {
      const backend = await world.open();
      await backend.close();
      expectSame(await world.refusal(world.open(backend)), 'closed', 'the error code of open() after close()');
      expectSame(world.witness(backend).states, ['up', 'closed'], 'the states');
    }),
    it(
      'life.close-leaves-nothing',
      'close() leaves nothing that keeps a process alive, whatever waits or is held',
      async (world) => {
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        await (world.capabilities.scope === 'network' ? endsByItself(world, queue) : leavesNoTimer(world, backend, queue));
      },
      { hooks: ['child'] },
    ),
    it('life.now-any-time', 'now() can be called before open() and after close()', async (world) => {
      const backend = await world.create();
      const before = backend.now();
      await world.open(backend);
      const open = backend.now();
      await backend.close();
      for (const now of [before, open, backend.now()]) assert.ok(Number.isFinite(now), `now() gave ${now}`);
    }),
    it('life.close-while-busy', 'close() amid 100 sends and as many deliveries: every call is answered', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue, { max: 10 });
      let acks = 0;
      tap.onDelivery = (delivery) => void tap.ack(delivery).then(count, count);
      const count = (): number => ++acks;
      const out = Array.from({ length: 100 }, () => world.outgoing({ to: { queue } }));
      const sends = out.map((one) => backend.send([one]).then(({ failures }) => failures[0]?.error, errorOf));
      await world.until('a delivery', () => tap.all.length > 0);
      await backend.close();
      const codes = (await Promise.all(sends)).map((error) => error?.code ?? 'done');
      for (const code of codes) assert.ok(['done', 'closed', 'unavailable', 'timeout'].includes(code), `a send ended as ${code}`);
      await world.until('an answer to every ack', () => acks === tap.all.length);
      const again = (await world.consume(await world.open(), queue)).ackAll();
      const seen = (id: string): boolean => again.ids.includes(id) || tap.ids.includes(id);
      await world.until('all that were confirmed', () => out.every(({ id }, i) => codes[i] !== 'done' || seen(id)));
    }),
    it('life.two-in-one-process', 'closing one backend leaves another in the same process as it was', async (world) => {
      const [one, other] = [await world.open(), await world.open()];
      const queue = await world.queue(one, 'q');
      const tap = await world.consume(other, queue);
      await one.close();
      await world.fence(other, tap, 0);
      expectSame(world.witness(other).states, ['up'], 'the states of the other backend');
    }),
    it('life.rejected-call-leaves-usable', 'after a call that was refused the next one works', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue);
      for (let i = 0; i < 3; i++) {
        const { failures } = await backend.send([world.outgoing({ to: { queue: world.name('never-declared') } })]);
        expectSame([failures.length, failures[0]?.error.code], [1, 'invalid'], 'the failures');
        await world.fence(backend, tap, 0);
      }
    }),
    it(
      'life.open-unreachable',
      'open() rejects with unavailable where nobody listens, again and again, and close() still ends it',
      async (world) => {
        const backend = (await world.harness.unreachable?.()) ?? (await world.create());
        expectSame(await world.refusal(world.open(backend)), 'unavailable', 'the error code of open()');
        expectSame(await world.refusal(world.open(backend)), 'unavailable', 'the error code of the second open()');
        assert.ok(!world.witness(backend).states.includes('up'), 'it said up where nobody listens');
        await backend.close();
      },
      { needs: [network], hooks: ['unreachable'] },
    ),
    ...Object.keys(calls).flatMap(traits),
  ],
};
