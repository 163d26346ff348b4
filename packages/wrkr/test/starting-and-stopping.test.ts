import { Broker, MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import { type Ack, Wrkr } from 'wrkr';
import { backendError } from 'wrkr/backend';
import { gate, refusal, setup } from './setup.ts';

const calls: Record<string, (wrkr: Wrkr) => Promise<unknown>> = {
  publish: (wrkr) => wrkr.publish({ name: 'a' }),
  'publish several': (wrkr) => wrkr.publish([{ name: 'a' }]),
  find: (wrkr) => wrkr.find(),
  cancel: (wrkr) => wrkr.cancel({ id: 'x' }),
  deadLetters: (wrkr) => wrkr.deadLetters(),
  redrive: (wrkr) => wrkr.redrive({ queue: 'team' }),
  discard: (wrkr) => wrkr.discard({ queue: 'team' }),
  stats: (wrkr) => wrkr.stats('team'),
  subscriptions: (wrkr) => wrkr.subscriptions(),
  unsubscribe: (wrkr) => wrkr.unsubscribe('team', 'a'),
};

describe.each(Object.entries(calls))('%s', (_, call) => {
  it('before start() is refused, and says what to do', async () => {
    const { wrkr } = setup();
    const { code, message } = await refusal(call(wrkr));
    expect(code).toBe('WRKR_NOT_STARTED');
    expect(message).toContain('start()');
  });

  it('after stop() is refused', async () => {
    const { wrkr } = setup();
    await wrkr.start();
    await wrkr.stop();
    expect((await refusal(call(wrkr))).code).toBe('WRKR_CLOSED');
  });
});

describe('start', () => {
  it('binds everything in one call, then consumes', async () => {
    const calls: string[] = [];
    class Watched extends MemoryBackend {
      override bind: MemoryBackend['bind'] = (batch) => {
        calls.push(`bind ${batch.filter(({ pattern }) => pattern).length}`);
        return super.bind(batch);
      };
      override consume: MemoryBackend['consume'] = (queue, sink, options) => {
        calls.push(`consume ${queue}`);
        return super.consume(queue, sink, options);
      };
    }
    const { wrkr } = setup({ backend: new Watched() });
    for (const pattern of ['a', 'b', 'c']) await wrkr.subscribe('team', pattern, () => {});
    await wrkr.subscribe('other', 'a', () => {});
    expect(calls).toEqual([]);
    await wrkr.start();
    expect(calls).toEqual(['bind 4', 'consume team', 'consume other', 'consume $relay']);
  });

  it('twice is one', async () => {
    const { wrkr } = setup();
    const states: string[] = [];
    wrkr.on('state', (state) => states.push(state));
    await Promise.all([wrkr.start(), wrkr.start()]);
    await wrkr.start();
    expect(states).toEqual(['starting', 'up']);
  });

  it('after stop() is refused', async () => {
    const { wrkr } = setup();
    await wrkr.stop();
    expect((await refusal(wrkr.start())).code).toBe('WRKR_CLOSED');
    expect((await refusal(wrkr.subscribe('team', 'a', () => {}))).code).toBe('WRKR_CLOSED');
  });

  it('rejects if the backend cannot be reached, and can be tried again', async () => {
    class Shy extends MemoryBackend {
      tries = 0;
      override open: MemoryBackend['open'] = async (env) => {
        if (++this.tries < 3) throw backendError('unavailable', 'nobody is there');
        return super.open(env);
      };
    }
    const { wrkr } = setup({ backend: new Shy() });
    expect(await refusal(wrkr.start())).toMatchObject({ code: 'WRKR_UNAVAILABLE', message: 'start: nobody is there' });
    expect(wrkr.state).toBe('new');
    expect((await refusal(wrkr.start())).code).toBe('WRKR_UNAVAILABLE');
    await wrkr.start();
    expect(wrkr.state).toBe('up');
  });

  it('refuses a lease that the backend does not allow', async () => {
    const { wrkr } = setup({ lease: 500, memory: { capabilities: { lease: { kind: 'timed', minMs: 1000 } } } });
    expect(await refusal(wrkr.start())).toMatchObject({
      code: 'WRKR_INVALID_OPTION',
      message: expect.stringContaining('1000 ms or more'),
    });
  });
});

describe('stop', () => {
  it('lets running handlers finish and their acks be written, and gives the rest back untouched', async () => {
    const broker = new Broker();
    const { wrkr, clock } = setup({ backend: new MemoryBackend({ broker }) });
    const first = gate();
    const started: unknown[] = [];
    await wrkr.subscribe(
      'team',
      'a',
      (event) => {
        started.push(event.tid);
        return first.opened;
      },
      { concurrency: 1 },
    );
    await wrkr.start();
    await wrkr.publish([1, 2, 3].map((n) => ({ name: 'a', tid: String(n) })));
    await clock.settle();
    let stopped = false;
    const stopping = wrkr.stop().then(() => {
      stopped = true;
    });
    await clock.settle();
    expect([wrkr.state, stopped]).toEqual(['stopping', false]);
    first.open();
    await stopping;
    expect([wrkr.state, started]).toEqual(['closed', ['1']]);
    const next = setup({ clock, backend: new MemoryBackend({ broker }) });
    const seen: unknown[] = [];
    await next.wrkr.subscribe('team', 'a', (event) => seen.push([event.tid, event.attempt]));
    await next.wrkr.start();
    await clock.settle();
    expect(seen.sort()).toEqual([
      ['2', 1],
      ['3', 1],
    ]);
  });

  it('at its deadline cuts off what still runs: no attempt is used, and a late ack says false', async () => {
    const broker = new Broker();
    const { wrkr, clock } = setup({ backend: new MemoryBackend({ broker }) });
    let ack: Ack | undefined;
    let reason: unknown;
    await wrkr.subscribe('team', 'a', (_, given, { signal }) => {
      ack = given;
      signal.addEventListener('abort', () => {
        reason = signal.reason.code;
      });
      return new Promise(() => {});
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    const stopping = wrkr.stop();
    await clock.advance('24 seconds');
    expect(reason).toBeUndefined();
    await clock.advance('1 second');
    await stopping;
    expect([reason, ack?.(), wrkr.state]).toEqual(['WRKR_SHUTDOWN', false, 'closed']);
    const next = setup({ clock, backend: new MemoryBackend({ broker }) });
    const attempts: number[] = [];
    await next.wrkr.subscribe('team', 'a', (event) => attempts.push(event.attempt));
    await next.wrkr.start();
    await clock.settle();
    expect(attempts).toEqual([1]);
  });

  it('called twice, or in parallel, is one', async () => {
    const { wrkr } = setup();
    await wrkr.start();
    await Promise.all([wrkr.stop(), wrkr.stop()]);
    await wrkr.stop();
    expect(wrkr.state).toBe('closed');
  });

  it('before start(), and during it, ends in closed', async () => {
    const before = setup();
    await before.wrkr.stop();
    expect(before.wrkr.state).toBe('closed');
    const during = setup();
    const starting = during.wrkr.start();
    await during.wrkr.stop();
    await starting;
    expect(during.wrkr.state).toBe('closed');
  });

  it('leaves no timer behind', async () => {
    const { wrkr, clock } = setup();
    await wrkr.subscribe('team', 'a', () => {});
    await wrkr.start();
    await wrkr.publish([{ name: 'a' }, { name: 'a', when: '1 day' }]);
    await clock.settle();
    await wrkr.stop();
    expect(clock.pending).toBe(0);
  });

  it('writes what handlers publish while they finish', async () => {
    const broker = new Broker();
    const { wrkr, clock } = setup({ backend: new MemoryBackend({ broker }) });
    const first = gate();
    await wrkr.subscribe('team', 'a', async (_, __, { followUp }) => {
      await first.opened;
      await wrkr.publish({ name: 'b', tid: 'published' });
      await followUp({ name: 'b', tid: 'followed' });
    });
    await wrkr.subscribe('later', 'b', () => {});
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    const stopping = wrkr.stop();
    first.open();
    await stopping;
    const next = setup({ clock, backend: new MemoryBackend({ broker }) });
    const seen: unknown[] = [];
    await next.wrkr.subscribe('later', 'b', (event) => seen.push(event.tid));
    await next.wrkr.start();
    await clock.settle();
    expect(seen.sort()).toEqual(['followed', 'published']);
  });
});

describe('stop from inside a handler', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['at once', async () => {}],
    [
      'after some awaits',
      async () => {
        for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      },
    ],
  ])('%s resolves when the others have ended, and its ack still counts', async (_, wait) => {
    const broker = new Broker();
    const { wrkr, clock } = setup({ backend: new MemoryBackend({ broker }) });
    const other = gate();
    const order: string[] = [];
    await wrkr.subscribe('team', '#', async (event) => {
      if (event.name === 'other') {
        await other.opened;
        order.push('other ended');
        return;
      }
      await wait();
      await wrkr.stop();
      order.push(`stop resolved, ${wrkr.state}`);
    });
    wrkr.on('state', (state) => order.push(state));
    await wrkr.start();
    await wrkr.publish([{ name: 'other' }, { name: 'stops' }]);
    await clock.settle();
    expect(order).toEqual(['starting', 'up', 'stopping']);
    other.open();
    await clock.settle();
    expect(order.slice(3)).toEqual(['other ended', 'stop resolved, stopping', 'closed']);
    const next = setup({ clock, backend: new MemoryBackend({ broker }) });
    await next.wrkr.start();
    expect(await next.wrkr.stats('team')).toEqual({ ready: 0, delayed: 0, held: 0, dead: 0 });
  });

  it('in two handlers at once does not hang', async () => {
    const { wrkr, clock } = setup();
    let ended = 0;
    await wrkr.subscribe('team', 'a', async () => {
      await wrkr.stop();
      ended++;
    });
    await wrkr.start();
    await wrkr.publish([{ name: 'a' }, { name: 'a' }]);
    await clock.settle();
    expect([ended, wrkr.state]).toEqual([2, 'closed']);
  });

  it('beside one from outside: that one waits for the handler too', async () => {
    const { wrkr, clock } = setup();
    const order: string[] = [];
    const go = gate();
    await wrkr.subscribe('team', 'a', async () => {
      await go.opened;
      await wrkr.stop();
      order.push('inside');
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    const outside = wrkr.stop().then(() => order.push('outside'));
    go.open();
    await outside;
    expect(order).toEqual(['inside', 'outside']);
  });

  it('of another bus waits for that bus', async () => {
    const one = setup();
    const other = setup();
    const running = gate();
    const order: string[] = [];
    await other.wrkr.subscribe('team', 'a', async () => {
      await running.opened;
      order.push('other ended');
    });
    await other.wrkr.start();
    await other.wrkr.publish({ name: 'a' });
    await other.clock.settle();
    await one.wrkr.subscribe('team', 'a', async () => {
      await other.wrkr.stop();
      order.push('stopped');
    });
    await one.wrkr.start();
    await one.wrkr.publish({ name: 'a' });
    await one.clock.settle();
    expect(order).toEqual([]);
    running.open();
    await one.clock.settle();
    expect(order).toEqual(['other ended', 'stopped']);
  });
});

describe('await using', () => {
  it('stops at the end of the block', async () => {
    let state = (): string => '';
    {
      const wrkr = new Wrkr({ backend: new MemoryBackend() });
      await using _ = wrkr;
      await wrkr.start();
      state = () => wrkr.state;
      expect(state()).toBe('up');
    }
    expect(state()).toBe('closed');
  });
});
