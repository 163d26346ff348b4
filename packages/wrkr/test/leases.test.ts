import { Broker, MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import type { Ack, Handler } from 'wrkr';
import { backendError } from 'wrkr/backend';
import { gate, setup } from './setup.ts';

describe('a lease', () => {
  it('is kept while a handler runs, and for what waits behind it', async () => {
    const broker = new Broker();
    const { wrkr, clock } = setup({ backend: new MemoryBackend({ broker }), lease: '30 seconds' });
    const running = gate();
    const seen: unknown[] = [];
    await wrkr.subscribe(
      'team',
      'a',
      async (event) => {
        seen.push(event.tid);
        await running.opened;
      },
      { concurrency: 1 },
    );
    await wrkr.start();
    await wrkr.publish([
      { name: 'a', tid: '1' },
      { name: 'a', tid: '2' },
    ]);
    await clock.settle();
    const other = setup({ clock, backend: new MemoryBackend({ broker }) });
    await other.wrkr.subscribe('team', 'a', (event) => seen.push(`other ${event.tid}`));
    await other.wrkr.start();
    await clock.advance('10 minutes');
    expect(seen).toEqual(['1']);
    running.open();
    await clock.settle();
    expect(seen).toEqual(['1', '2']);
  });

  it('that is lost aborts its handler, whose ack then says false', async () => {
    class Frozen extends MemoryBackend {
      override consume: MemoryBackend['consume'] = async (queue, sink, options) => {
        const consumer = await super.consume(queue, sink, options);
        consumer.extend = () => Promise.reject(backendError('unavailable', 'frozen'));
        return consumer;
      };
    }
    const broker = new Broker();
    const { wrkr, clock } = setup({ backend: new Frozen({ broker }), lease: '30 seconds' });
    const reasons: string[] = [];
    let ack: Ack | undefined;
    const handler: Handler = (_, given, { signal }) => {
      ack = given;
      signal.addEventListener('abort', () => reasons.push(signal.reason.code));
      return new Promise(() => {});
    };
    await wrkr.subscribe('team', 'a', handler, { concurrency: 1 });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    const other = setup({ clock, backend: new MemoryBackend({ broker }) });
    const attempts: number[] = [];
    await other.wrkr.subscribe('team', 'a', (event) => attempts.push(event.attempt));
    await other.wrkr.start();
    await clock.advance('31 seconds');
    await clock.advance('31 seconds');
    expect(reasons[0]).toBe('WRKR_LEASE_LOST');
    expect(ack?.()).toBe(false);
    expect(attempts).toEqual([1]);
  });

  it('that a server took away without a word makes the ack stale, which is an error', async () => {
    const { wrkr, clock, backend } = setup();
    const errors: string[] = [];
    wrkr.on('error', (error) => errors.push(error.code));
    const consume = backend.consume.bind(backend);
    backend.consume = async (...how) => {
      const consumer = await consume(...how);
      consumer.settle = async (batch) => batch.map((_, index) => ({ index, error: backendError('stale', 'taken away') }));
      return consumer;
    };
    await wrkr.subscribe('team', 'a', () => {});
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(errors).toEqual(['WRKR_STALE']);
  });

  it('of a connection needs no keeping; lost with it, everything comes again', async () => {
    const broker = new Broker();
    const capabilities = { lease: { kind: 'connection', maxMs: 1_800_000 } } as const;
    const { wrkr, clock, backend } = setup({ backend: new MemoryBackend({ broker, capabilities }) });
    const reasons: string[] = [];
    const attempts: number[] = [];
    const handler: Handler = (event, _, { signal }) => {
      attempts.push(event.attempt);
      signal.addEventListener('abort', () => reasons.push(signal.reason.code));
      return attempts.length > 2 ? undefined : new Promise(() => {});
    };
    await wrkr.subscribe('team', 'a', handler, { concurrency: 2 });
    await wrkr.start();
    await wrkr.publish([{ name: 'a' }, { name: 'a' }]);
    await clock.advance('10 minutes');
    expect(attempts).toEqual([1, 1]);
    backend.cut();
    backend.restore();
    await clock.settle();
    expect(reasons).toEqual(['WRKR_LEASE_LOST', 'WRKR_LEASE_LOST']);
    expect(attempts).toEqual([1, 1, 1, 1]);
  });

  it('of a connection ends a handler before the server would', async () => {
    const capabilities = { lease: { kind: 'connection', maxMs: 60_000 } } as const;
    const { wrkr, clock } = setup({ memory: { capabilities } });
    const reasons: string[] = [];
    await wrkr.subscribe('team', 'a', (_, __, { signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason.code));
      return new Promise(() => {});
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('59 seconds');
    expect(reasons).toEqual(['WRKR_TIMEOUT']);
  });
});

describe('an event that cannot be put among the dead letters', () => {
  it('comes back later, with an error, and is not lost', async () => {
    const { wrkr, clock, backend } = setup();
    const errors: string[] = [];
    wrkr.on('error', (error) => errors.push(error.message));
    let runs = 0;
    await wrkr.subscribe(
      'team',
      'a',
      () => {
        runs++;
        throw new Error('x');
      },
      { retry: { attempts: 1 } },
    );
    await wrkr.start();
    await backend.drop('team.dead');
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(runs).toBe(1);
    expect(errors).toEqual(["'a' in 'team' was not settled: there is no queue 'team.dead'"]);
    await backend.bind([{ queue: 'team.dead', kind: 'parked' }]);
    await clock.advance('1 minute');
    expect(runs).toBe(2);
    expect((await wrkr.stats('team')).dead).toBe(1);
  });
});

describe('the relay', () => {
  it('sends an event on once it is due, also one that fell due while nobody was there', async () => {
    const broker = new Broker();
    const first = setup({ backend: new MemoryBackend({ broker }) });
    const { clock } = first;
    await first.wrkr.subscribe('team', 'a', () => {});
    await first.wrkr.start();
    await first.wrkr.publish({ name: 'a', when: '1 hour' });
    await first.wrkr.stop();
    await clock.advance('1 day');
    const second = setup({ clock, backend: new MemoryBackend({ broker }) });
    const seen: Date[] = [];
    await second.wrkr.subscribe('team', 'a', (event) => seen.push(event.when));
    await second.wrkr.start();
    await clock.settle();
    expect(seen).toEqual([new Date(clock.now() - 23 * 3_600_000)]);
  });

  it('is not served by a process that opted out', async () => {
    const broker = new Broker();
    const first = setup({ backend: new MemoryBackend({ broker }), relay: false });
    const { clock } = first;
    const seen: string[] = [];
    await first.wrkr.subscribe('team', 'a', (event) => seen.push(event.name));
    await first.wrkr.start();
    await first.wrkr.publish({ name: 'a', when: '1 hour' });
    await clock.advance('2 hours');
    expect(seen).toEqual([]);
    const second = setup({ clock, backend: new MemoryBackend({ broker }) });
    await second.wrkr.start();
    await clock.settle();
    expect(seen).toEqual(['a']);
  });

  it('does not give up while the backend is away', async () => {
    const { wrkr, clock, backend } = setup({ publishTimeout: 10 });
    const seen: string[] = [];
    await wrkr.subscribe('team', 'a', (event) => seen.push(event.name));
    await wrkr.start();
    await wrkr.publish({ name: 'a', when: '1 hour' });
    const { send } = backend;
    let calls = 0;
    backend.send = (batch) => (++calls < 4 ? Promise.reject(backendError('unavailable', 'away')) : send.call(backend, batch));
    await clock.advance('1 hour');
    await new Promise((resolve) => clock.real.after(300, () => resolve(undefined)));
    await clock.settle();
    expect([calls, seen]).toEqual([4, ['a']]);
  });

  it('puts what can never be sent among its dead letters, with an error, and it can be redriven', async () => {
    const { wrkr, clock, backend } = setup();
    const errors: string[] = [];
    wrkr.on('error', (error) => errors.push(error.code));
    const seen: string[] = [];
    await wrkr.subscribe('team', 'a', (event) => seen.push(event.name));
    await wrkr.start();
    await wrkr.publish({ name: 'a', when: '1 hour' });
    const { send } = backend;
    backend.send = () => Promise.reject(backendError('too_large', 'no'));
    await clock.advance('1 hour');
    expect([errors, seen]).toEqual([['WRKR_TOO_LARGE'], []]);
    expect((await wrkr.deadLetters()).items).toMatchObject([{ name: 'a', queue: '$relay' }]);
    backend.send = send;
    expect(await wrkr.redrive({ name: 'a' })).toBe(1);
    await clock.settle();
    expect(seen).toEqual(['a']);
  });
});
