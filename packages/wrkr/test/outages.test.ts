import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Broker, MemoryBackend } from '@wrkr/memory';
import { describe, expect, it, vi } from 'vitest';
import { Wrkr, type WrkrOptions } from 'wrkr';
import { backendError, type Consumer, type Settlement } from 'wrkr/backend';
import { refusal, type Setup, setup } from './setup.ts';

const never = (): Promise<never> => new Promise(() => {});
const gone = (): Promise<never> => Promise.reject(backendError('unavailable', 'gone', { applied: 'maybe' }));

/** A bus whose backend does some things otherwise, and what it reports. */
function withBackend(backend: MemoryBackend, options: Partial<WrkrOptions> = {}): Setup & { readonly errors: string[] } {
  const world = setup({ ...options, backend });
  const errors: string[] = [];
  world.wrkr.on('error', ({ code, message }) => errors.push(`${code}: ${message}`));
  return { ...world, errors };
}

/** A backend whose consumers settle as they are told to. */
class Settling extends MemoryBackend {
  onSettle: (batch: readonly Settlement[], settle: Consumer['settle']) => ReturnType<Consumer['settle']> = (batch, settle) =>
    settle(batch);

  override consume: MemoryBackend['consume'] = async (queue, sink, options) => {
    const consumer = await super.consume(queue, sink, options);
    const settle = consumer.settle.bind(consumer);
    consumer.settle = (batch) => this.onSettle(batch, settle);
    return consumer;
  };
}

describe('publish', () => {
  it('is answered when its patience ends, also if the backend never answers', async () => {
    const backend = new MemoryBackend();
    const { wrkr } = withBackend(backend, { publishTimeout: 100 });
    await wrkr.start();
    backend.send = never;
    const first = refusal(wrkr.publish({ name: 'a' }));
    await new Promise((resolve) => setImmediate(resolve));
    const behind = refusal(wrkr.publish({ name: 'b' }));
    expect(await first).toMatchObject({ code: 'WRKR_UNAVAILABLE', applied: 'maybe' });
    expect(await behind).toMatchObject({ code: 'WRKR_UNAVAILABLE', applied: 'no' });
  });

  it('that breaks every call does not take its neighbours with it', async () => {
    const backend = new MemoryBackend();
    const { wrkr } = withBackend(backend, { publishTimeout: 500 });
    await wrkr.start();
    const send = backend.send;
    backend.send = (batch) => (batch.some(({ name }) => name === 'poison') ? gone() : send.call(backend, batch));
    const names = Array.from({ length: 20 }, (_, i) => (i === 7 ? 'poison' : 'a'));
    const published = await Promise.allSettled(names.map((name) => wrkr.publish({ name })));
    expect(published.map(({ status }) => status)).toEqual(names.map((name) => (name === 'a' ? 'fulfilled' : 'rejected')));
  });

  it('that was stored by a call whose answer was lost is stored, not deduplicated by itself', async () => {
    const backend = new MemoryBackend();
    const { wrkr } = withBackend(backend);
    await wrkr.subscribe('team', 'b', () => {});
    await wrkr.start();
    await backend.bind([{ queue: 'team', pattern: 'a', kind: 'work' }]);
    const send = backend.send;
    let lost = 0;
    backend.send = async (batch) => {
      const sent = await send.call(backend, batch);
      return lost++ === 0 ? gone() : sent;
    };
    expect(await wrkr.publish({ name: 'a', id: 'e', tid: 't', once: true })).toMatchObject({ id: 'e', stored: true });
  });
});

describe('a settlement', () => {
  it.each(['timed', 'connection'] as const)(
    'that fails for no known reason is tried again; its slot is not lost (%s)',
    async (kind) => {
      const lease = kind === 'timed' ? { kind, minMs: 1 } : { kind, maxMs: 1e9 };
      const backend = new Settling({ capabilities: { lease } });
      let failures = 4;
      backend.onSettle = (batch, settle) =>
        failures-- > 0
          ? Promise.resolve(batch.map((_, index) => ({ index, error: backendError('internal', 'odd') })))
          : settle(batch);
      const { wrkr, clock, errors } = withBackend(backend);
      let runs = 0;
      await wrkr.subscribe('team', 'a', () => runs++, { concurrency: 2 });
      await wrkr.start();
      await wrkr.publish(Array.from({ length: 20 }, () => ({ name: 'a' })));
      await clock.advance('10 minutes');
      expect(runs).toBe(20);
      expect(await wrkr.stats('team')).toEqual({ ready: 0, delayed: 0, held: 0, dead: 0 });
      expect(errors[0]).toContain('odd');
    },
  );

  it('whose answer was lost and that is stale when it is repeated was done: nothing to report', async () => {
    const backend = new Settling();
    let lost = 0;
    backend.onSettle = async (batch, settle) => {
      const failures = await settle(batch);
      return lost++ === 0 ? gone() : failures;
    };
    const { wrkr, clock, errors } = withBackend(backend);
    let runs = 0;
    await wrkr.subscribe('team', 'a', () => runs++);
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('1 hour');
    expect([runs, errors]).toEqual([1, []]);
  });
});

describe('start', () => {
  it('waits for a server that is away for a moment', async () => {
    const backend = new MemoryBackend();
    const { wrkr } = withBackend(backend);
    const bind = backend.bind;
    let calls = 0;
    backend.bind = (batch) => (++calls < 3 ? gone() : bind.call(backend, batch));
    await wrkr.subscribe('team', 'a', () => {});
    await wrkr.start();
    expect([wrkr.state, calls]).toEqual(['up', 3]);
  });

  it('waits for a scheduler that is away for a moment, too', async () => {
    const scheduler = new MemoryBackend();
    const { wrkr } = withBackend(new MemoryBackend(), { scheduler });
    const bind = scheduler.bind;
    let calls = 0;
    scheduler.bind = (batch) => (++calls < 3 ? gone() : bind.call(scheduler, batch));
    await wrkr.start();
    expect([wrkr.state, calls]).toEqual(['up', 3]);
  });

  it('that fails leaves nothing running, and can be called again', async () => {
    const backend = new MemoryBackend();
    const { wrkr, clock } = withBackend(backend);
    const handled: string[] = [];
    for (const queue of ['one', 'two']) await wrkr.subscribe(queue, 'a', (event) => handled.push(event.queue));
    const consume = backend.consume;
    backend.consume = (queue, ...rest) =>
      queue === 'two' ? Promise.reject(backendError('internal', 'odd')) : consume.call(backend, queue, ...rest);
    expect((await refusal(wrkr.start())).code).toBe('WRKR_BACKEND');
    expect(wrkr.state).toBe('new');
    expect((await refusal(wrkr.publish({ name: 'a' }))).code).toBe('WRKR_NOT_STARTED');
    await backend.send([
      { to: { event: 'a' }, id: 'e', name: 'a', sentAt: clock.now(), at: 0, headers: {}, body: new Uint8Array() },
    ]);
    await clock.advance('1 minute');
    expect(handled).toEqual([]);
    backend.consume = consume;
    await wrkr.start();
    await clock.settle();
    expect(handled.sort()).toEqual(['one', 'two']);
  });

  it('that fails at the last step leaves nothing running either', async () => {
    const backend = new MemoryBackend();
    const { wrkr } = withBackend(backend);
    const consume = backend.consume;
    backend.consume = (queue, ...rest) =>
      queue === '$relay' ? Promise.reject(backendError('internal', 'odd')) : consume.call(backend, queue, ...rest);
    await wrkr.subscribe('team', 'a', () => {});
    expect((await refusal(wrkr.start())).code).toBe('WRKR_BACKEND');
    expect(wrkr.state).toBe('new');
    backend.consume = consume;
    await wrkr.start();
    expect(wrkr.state).toBe('up');
  });

  it('that fails keeps its backend: it has this bus’s clock and callbacks', async () => {
    const backend = new MemoryBackend();
    const { wrkr } = withBackend(backend);
    const bind = backend.bind;
    backend.bind = () => Promise.reject(backendError('internal', 'odd'));
    expect((await refusal(wrkr.start())).code).toBe('WRKR_BACKEND');
    expect((await refusal(new Wrkr({ backend }).start())).code).toBe('WRKR_INVALID_OPTION');
    backend.bind = bind;
    await wrkr.start();
    expect(wrkr.state).toBe('up');
  });

  it('refuses a backend object that serves another bus', async () => {
    const backend = new MemoryBackend({ broker: new Broker() });
    const { wrkr } = withBackend(backend);
    await wrkr.start();
    const other = new Wrkr({ backend });
    expect(await refusal(other.start())).toMatchObject({
      code: 'WRKR_INVALID_OPTION',
      message: expect.stringContaining('Broker'),
    });
    expect((await wrkr.publish({ name: 'a' })).stored).toBe(true);
    await wrkr.stop();
    expect((await refusal(new Wrkr({ backend }).start())).code).toBe('WRKR_CLOSED');
  });
});

describe('stop', () => {
  it('says how much it could not write', async () => {
    const backend = new MemoryBackend();
    const { wrkr, clock, errors } = withBackend(backend);
    await wrkr.subscribe('team', 'a', (_, ack) => {
      backend.cut();
      ack();
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    await wrkr.stop({ timeout: 100 });
    expect(errors.join()).toMatch(/WRKR_UNAVAILABLE: stopped with 1 ack/);
  });

  it('does not wait for a backend that never opens, nor for one that never closes', async () => {
    const opening = new MemoryBackend();
    opening.open = never;
    const first = withBackend(opening);
    void first.wrkr.start().catch(() => {});
    await Promise.all([first.wrkr.stop({ timeout: 1000 }), first.clock.advance('1 second')]);
    expect(first.wrkr.state).toBe('closed');

    const closing = new MemoryBackend();
    const second = withBackend(closing);
    await second.wrkr.start();
    closing.close = never;
    await second.wrkr.stop();
    expect([second.wrkr.state, second.errors.join()]).toEqual(['closed', expect.stringContaining('did not close')]);
  });

  it('leaves nothing behind that keeps the process, also if the backend has died', async () => {
    const program = `
      import { MemoryBackend } from '@wrkr/memory';
      import { Wrkr } from 'wrkr';
      const backend = new MemoryBackend();
      const wrkr = new Wrkr({ backend, logger: {} });
      await wrkr.subscribe('team', 'a', (event, ack) => { backend.crash(); ack(); setImmediate(() => wrkr.stop()); });
      await wrkr.start();
      await wrkr.publish({ name: 'a' });
    `;
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    const began = performance.now();
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { cwd: root });
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('answers publishes that the backend never answered', async () => {
    const backend = new MemoryBackend();
    const { wrkr } = withBackend(backend);
    await wrkr.start();
    backend.send = never;
    const published = refusal(wrkr.publish({ name: 'a' }));
    await wrkr.stop();
    expect(await published).toMatchObject({ code: 'WRKR_CLOSED', applied: 'maybe' });
  });

  it('answers calls that hang, and closes what cannot be closed', async () => {
    const backend = new MemoryBackend();
    const { wrkr, errors } = withBackend(backend);
    await wrkr.start();
    Object.assign(backend, { browse: never, cancel: never, stats: never });
    backend.close = () => {
      throw new Error('odd');
    };
    const calls = [wrkr.find(), wrkr.cancel({ id: 'x' }), wrkr.stats('team'), wrkr.deadLetters({ queue: 'team' })].map(refusal);
    await wrkr.stop();
    for (const call of calls) expect((await call).code).toBe('WRKR_CLOSED');
    expect(errors.join()).toContain('did not close: odd');
  });

  it('and pause(), while a queue is being opened that cannot be, end no process', async () => {
    const backend = new MemoryBackend();
    const { wrkr } = withBackend(backend, { publishTimeout: 1 });
    await wrkr.start();
    let refuse: (() => void) | undefined;
    backend.consume = () =>
      new Promise((_, reject) => {
        refuse = () => reject(backendError('internal', 'odd'));
      });
    const subscribed = refusal(wrkr.subscribe('team', 'a', () => {}));
    await vi.waitFor(() => expect(refuse).toBeDefined());
    await wrkr.pause('team');
    refuse?.();
    expect((await subscribed).code).toBe('WRKR_BACKEND');
  });

  it('ends what is being subscribed at that moment', async () => {
    const backend = new MemoryBackend();
    const { wrkr, clock } = withBackend(backend);
    const handled: string[] = [];
    let open = (): void => {};
    await wrkr.subscribe(
      'busy',
      'b',
      () =>
        new Promise<void>((resolve) => {
          open = resolve;
        }),
    );
    await wrkr.start();
    await wrkr.publish({ name: 'b' });
    await clock.settle();
    const late = wrkr.subscribe('late', 'l', ({ name }) => handled.push(name)).catch((error: { code: string }) => error.code);
    const stopped = wrkr.stop();
    expect(await late).toBe('WRKR_CLOSED');
    await wrkr.publish({ name: 'l' });
    await clock.settle();
    open();
    await stopped;
    expect(handled).toEqual([]);
  });
});
