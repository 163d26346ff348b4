import { MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import { backendError, type Capabilities } from 'wrkr/backend';
import { refusal, type Setup, setup } from './setup.ts';

const HOUR = 3_600_000;

/** A bus on a backend that can do little, beside a scheduler on a broker of its own. */
function pair(capabilities: Partial<Capabilities> = { delay: false }): Setup & { readonly scheduler: MemoryBackend } {
  const scheduler = new MemoryBackend();
  return { ...setup({ memory: { capabilities }, scheduler }), scheduler };
}

describe('with a scheduler', () => {
  it('delayed events wait there, and go to the subscribers that there are when they are due', async () => {
    const { wrkr, clock, scheduler } = pair();
    const handled: unknown[] = [];
    await wrkr.start();
    const began = clock.now();
    await wrkr.publish({ name: 'a', id: 'e', tid: 't', payload: 5n, when: '1 hour' });
    expect(await scheduler.stats?.('$relay')).toMatchObject({ delayed: 1 });
    await wrkr.subscribe('team', 'a', ({ id, tid, payload, when }) =>
      handled.push([id, tid, payload, when.getTime(), clock.now()]),
    );
    await clock.advance('2 hours');
    expect(handled).toEqual([['e', 't', 5n, began + HOUR, began + HOUR]]);
    expect(await scheduler.stats?.('$relay')).toMatchObject({ delayed: 0, ready: 0, held: 0 });
  });

  it('what is published now does not touch it', async () => {
    const { wrkr, clock, scheduler } = pair();
    const handled: string[] = [];
    await wrkr.subscribe('team', 'a', ({ id }) => handled.push(id));
    await wrkr.start();
    scheduler.cut();
    await wrkr.publish({ name: 'a', id: 'now' });
    await clock.settle();
    expect(handled).toEqual(['now']);
    expect(wrkr.state).toBe('down');
    scheduler.restore();
    expect(wrkr.state).toBe('up');
  });

  it('finds, cancels, reschedules and gathers what waits, whatever the backend itself can do', async () => {
    const { wrkr, clock } = pair({ delay: false, cancel: false, browse: false, change: false, dedupe: false, filter: [] });
    const handled: unknown[] = [];
    await wrkr.subscribe('team', '#', ({ id }) => handled.push(id));
    await wrkr.start();
    await wrkr.publish([1, 2, 3].map((n) => ({ name: 'a', id: `e${n}`, tid: `t${n}`, when: n * HOUR })));
    expect((await wrkr.find({ tid: 't2' })).items.map(({ id }) => id)).toEqual(['e2']);
    expect(await wrkr.cancel({ tid: 't2' })).toBe(1);
    expect(await wrkr.reschedule({ id: 'e3' }, '30 minutes')).toBe(1);
    const gathered = await wrkr.publish({ name: 'b', id: 'e4', tid: 't', onceEvery: '2 hours' });
    expect(await wrkr.publish({ name: 'b', tid: 't', onceEvery: '2 hours' })).toEqual({ ...gathered, stored: false });
    await clock.advance('1 day');
    expect(handled).toEqual(['e3', 'e1', 'e4']);
    expect((await refusal(wrkr.publish({ name: 'b', tid: 't', once: true }))).code).toBe('WRKR_UNSUPPORTED');
    expect((await refusal(wrkr.cancel({ queue: 'team' }))).code).toBe('WRKR_UNSUPPORTED');
  });

  it('retries, ack.later and events without a handler wait there, with their attempts, each queue by itself', async () => {
    const { wrkr, clock, scheduler } = pair();
    const runs: unknown[] = [];
    const began = clock.now();
    const handler = (
      event: { queue: string; attempt: number; id: string; when: Date },
      ack: { later(when: string): boolean },
    ) => {
      runs.push([event.queue, event.attempt, event.id, event.when.getTime() - began, clock.now() - began]);
      if (runs.length <= 2) throw new Error('again');
      return runs.length <= 4 ? ack.later('1 hour') : undefined;
    };
    const retry = { backoff: () => 60_000 };
    for (const queue of ['one', 'two']) await wrkr.subscribe(queue, 'a', handler, { retry });
    await wrkr.start();
    await wrkr.publish({ name: 'a', id: 'e' });
    await clock.settle();
    expect(await scheduler.stats?.('$retries')).toMatchObject({ delayed: 2 });
    expect((await wrkr.find()).items).toEqual([]);
    await clock.advance('1 day');
    expect(runs).toEqual([
      ['one', 1, 'e', 0, 0],
      ['two', 1, 'e', 0, 0],
      ['one', 2, 'e', 0, 60_000],
      ['two', 2, 'e', 0, 60_000],
      ['one', 2, 'e', 0, 60_000 + HOUR],
      ['two', 2, 'e', 0, 60_000 + HOUR],
    ]);
    expect(await scheduler.stats?.('$retries')).toMatchObject({ delayed: 0, ready: 0, held: 0 });
  });

  it('retries stay with a backend that can delay them', async () => {
    const { wrkr, clock, scheduler } = pair({});
    let runs = 0;
    await wrkr.subscribe('team', 'a', () => {
      if (++runs < 3) throw new Error('again');
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(await wrkr.stats('team')).toMatchObject({ delayed: 1 });
    expect(await scheduler.stats?.('$retries')).toMatchObject({ delayed: 0 });
    await clock.advance('1 day');
    expect(runs).toBe(3);
  });

  it('a retry that waits there comes back when its process has died', async () => {
    const backend = new MemoryBackend({ capabilities: { delay: false } });
    const scheduler = new MemoryBackend();
    const first = setup({ backend, scheduler });
    await first.wrkr.subscribe(
      'team',
      'a',
      () => {
        throw new Error('again');
      },
      { retry: { backoff: () => HOUR } },
    );
    await first.wrkr.start();
    await first.wrkr.publish({ name: 'a', id: 'e' });
    await first.clock.settle();
    backend.crash();
    scheduler.crash();
    const attempts: number[] = [];
    const second = setup({
      clock: first.clock,
      backend: new MemoryBackend({ broker: backend.broker, capabilities: { delay: false } }),
      scheduler: new MemoryBackend({ broker: scheduler.broker }),
    });
    await second.wrkr.subscribe('team', 'a', ({ attempt }) => attempts.push(attempt));
    await second.wrkr.start();
    await second.clock.advance('2 hours');
    expect(attempts).toEqual([2]);
  });

  it('a retry that it refuses for good waits in the process, and is not run early', async () => {
    const { wrkr, clock, scheduler } = pair();
    const send = scheduler.send;
    scheduler.send = async (batch) => {
      const error = backendError('too_large', 'no');
      const refused = batch.some(({ to }) => 'queue' in to && to.queue === '$retries');
      return refused ? { failures: batch.map((_, index) => ({ index, error })), deduplicated: [] } : send.call(scheduler, batch);
    };
    const runs: number[] = [];
    const began = clock.now();
    await wrkr.subscribe('team', 'a', (_, ack) => {
      runs.push(clock.now() - began);
      return runs.length < 3 ? ack.later('1 hour') : undefined;
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('1 day');
    expect(runs).toEqual([0, HOUR, 2 * HOUR]);
  });

  it('an event that can never be sent on is a dead letter there, and can be redriven', async () => {
    const { wrkr, clock, backend, logged } = pair();
    const handled: unknown[] = [];
    await wrkr.subscribe('team', 'a', ({ id }) => handled.push(id));
    await wrkr.start();
    const send = backend.send.bind(backend);
    backend.send = async () => ({
      failures: [
        { index: 0, error: Object.assign(new Error('no'), { name: 'BackendError', code: 'invalid', applied: 'no' } as const) },
      ],
      deduplicated: [],
    });
    await wrkr.publish({ name: 'a', id: 'e', when: 1000 });
    await clock.advance('1 minute');
    backend.send = send;
    expect(logged.join()).toContain('$relay.dead');
    expect((await wrkr.deadLetters({ queue: '$relay' })).items).toMatchObject([{ id: 'e', queue: '$relay' }]);
    expect(await wrkr.redrive({ queue: '$relay' })).toBe(1);
    await clock.settle();
    expect(handled).toEqual(['e']);
  });

  it.each([
    ['cannot delay', { delay: false }],
    ['sends to its own subscribers', { delay: { maxMs: 1000, granularityMs: 1, fanOut: true } }],
  ] as const)('one that %s is refused at start', async (why, capabilities) => {
    const { wrkr } = setup({ scheduler: new MemoryBackend({ capabilities }) });
    expect(await refusal(wrkr.start())).toMatchObject({ code: 'WRKR_INVALID_OPTION', message: expect.stringContaining(why) });
  });

  it('one that is none is refused', () => {
    expect(() => setup({ scheduler: 'memory:' as never })).toThrow(expect.objectContaining({ code: 'WRKR_INVALID_OPTION' }));
  });
});

describe('without one, on a backend that cannot delay', () => {
  it('a delayed publish is refused, and the error names the way out', async () => {
    const { wrkr } = setup({ memory: { capabilities: { delay: false } } });
    await wrkr.start();
    expect(await refusal(wrkr.publish({ name: 'a', when: '1 hour' }))).toEqual({
      code: 'WRKR_UNSUPPORTED',
      message: expect.stringContaining('scheduler'),
      applied: 'no',
    });
  });

  it('retries wait in this process', async () => {
    const { wrkr, clock } = setup({ memory: { capabilities: { delay: false } } });
    const runs: number[] = [];
    await wrkr.subscribe(
      'team',
      'a',
      () => {
        runs.push(clock.now());
        if (runs.length < 3) throw new Error('again');
      },
      { retry: { backoff: () => HOUR } },
    );
    await wrkr.start();
    const began = clock.now();
    await wrkr.publish({ name: 'a' });
    await clock.advance('1 day');
    expect(runs).toEqual([began, began + HOUR, began + 2 * HOUR]);
  });

  it('and are given back when it stops, with their attempts, not to be run before they are due', async () => {
    const backend = new MemoryBackend({ capabilities: { delay: false } });
    const first = setup({ backend });
    await first.wrkr.subscribe(
      'team',
      'a',
      () => {
        throw new Error('again');
      },
      { retry: { backoff: () => HOUR } },
    );
    await first.wrkr.start();
    const began = first.clock.now();
    await first.wrkr.publish({ name: 'a' });
    await first.clock.advance('10 minutes');
    await first.wrkr.stop();
    const runs: unknown[] = [];
    const again = new MemoryBackend({ broker: backend.broker, capabilities: { delay: false } });
    const second = setup({ clock: first.clock, backend: again });
    await second.wrkr.subscribe('team', 'a', ({ attempt }) => runs.push([attempt, second.clock.now() - began]));
    await second.wrkr.start();
    await second.clock.advance('1 day');
    expect(runs).toEqual([[2, HOUR]]);
  });
});
