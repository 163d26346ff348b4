import { MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import type { Ack } from 'wrkr';
import { type BackendErrorCode, backendError, type Consumer, type Delivery, type Failure, type Settlement } from 'wrkr/backend';
import { type Setup, setup } from './setup.ts';

/** Its consumers settle and extend as they are told to. */
class Told extends MemoryBackend {
  onExtend = (_batch: readonly Delivery[], extend: () => Promise<readonly Failure[]>): Promise<readonly Failure[]> => extend();
  onSettle = (batch: readonly Settlement[], settle: Consumer['settle']): Promise<readonly Failure[]> => settle(batch);

  override consume: MemoryBackend['consume'] = async (queue, sink, options) => {
    const consumer = await super.consume(queue, sink, options);
    const { extend, settle } = consumer;
    consumer.extend = (batch, forMs) => this.onExtend(batch, () => extend.call(consumer, batch, forMs));
    consumer.settle = (batch) => this.onSettle(batch, settle.bind(consumer));
    return consumer;
  };
}

interface Held extends Setup {
  readonly backend: Told;
  readonly acks: Map<string, Ack>;
  readonly aborted: string[];
  readonly errors: string[];
}

/** A bus that holds so many events, which nobody acks by himself. */
async function holding(count: number, capabilities = {}): Promise<Held> {
  const backend = new Told({ capabilities });
  const world = setup({ backend, lease: '30 seconds' });
  const acks = new Map<string, Ack>();
  const aborted: string[] = [];
  const errors: string[] = [];
  world.wrkr.on('error', ({ code, message }) => errors.push(`${code}: ${message}`));
  const handler = ({ id }: { id: string }, ack: Ack, { signal }: { signal: AbortSignal }): void => {
    acks.set(id, ack);
    signal.addEventListener('abort', () => aborted.push(`${id} ${signal.reason.code}`));
  };
  await world.wrkr.subscribe('team', 'a', handler, { ack: 'manual', concurrency: 100, timeout: '1 day' });
  await world.wrkr.start();
  await world.wrkr.publish(Array.from({ length: count }, (_, i) => ({ name: 'a', id: `e${i}` })));
  await world.clock.settle();
  return { ...world, backend, acks, aborted, errors };
}

describe('leases', () => {
  it('are extended in batches that the backend takes, each in time and not more often than needed', async () => {
    const { limits } = new MemoryBackend().capabilities;
    const { wrkr, clock, backend, acks } = await holding(8, { limits: { ...limits, batch: 3 } });
    const sizes: number[] = [];
    backend.onExtend = (batch, extend) => {
      sizes.push(batch.length);
      return extend();
    };
    await clock.advance('10 minutes');
    expect(Math.max(...sizes)).toBe(3);
    expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(8 * 60);
    expect(await wrkr.stats('team')).toMatchObject({ held: 8 });
    for (const ack of acks.values()) expect(ack()).toBe(true);
    await clock.settle();
    sizes.length = 0;
    await clock.advance('1 hour');
    expect(sizes).toEqual([]);
  });

  it('of what is quite new are left as they are', async () => {
    const { wrkr, clock, backend } = await holding(1);
    const extended: string[] = [];
    backend.onExtend = (batch, extend) => {
      extended.push(batch.map(({ id }) => id).join());
      return extend();
    };
    await clock.advance(9999);
    await wrkr.publish({ name: 'a', id: 'new' });
    await clock.advance('15 seconds');
    expect(extended).toEqual(['e0', 'e0,new']);
  });

  it.each<[BackendErrorCode, string[]]>([
    ['stale', ['e1 WRKR_LEASE_LOST']],
    ['internal', []],
  ])('that cannot be extended, because of %s, are %j lost, and no others', async (code, lost) => {
    const { clock, backend, aborted, acks } = await holding(3);
    backend.onExtend = async (batch, extend) => {
      await extend();
      return batch.flatMap(({ id }, index) => (id === 'e1' ? [{ index, error: backendError(code, 'no') }] : []));
    };
    await clock.advance('11 seconds');
    expect(aborted).toEqual(lost);
    expect(acks.get('e0')?.()).toBe(true);
    expect(acks.get('e1')?.()).toBe(lost.length === 0);
  });

  it('are extended again after a call that failed', async () => {
    const { wrkr, clock, backend, aborted } = await holding(1);
    let calls = 0;
    backend.onExtend = (_, extend) => (++calls === 1 ? Promise.reject(backendError('unavailable', 'away')) : extend());
    await clock.advance('5 minutes');
    expect([aborted, await wrkr.stats('team')]).toMatchObject([[], { held: 1 }]);
  });
});

describe('a settlement', () => {
  const refusing = (code: BackendErrorCode, times: number): Told['onSettle'] => {
    let left = times;
    return async (batch, settle) =>
      left-- > 0 ? batch.map((_, index) => ({ index, error: backendError(code, 'no') })) : settle(batch);
  };

  it('that the backend refuses for good is reported, the event is kept, and it is tried again in a minute', async () => {
    const { wrkr, clock, backend, acks, errors, aborted } = await holding(1);
    backend.onSettle = refusing('internal', 1);
    acks.get('e0')?.();
    await clock.settle();
    expect(errors).toEqual([expect.stringContaining("'a' in 'team' was not settled: no")]);
    await clock.advance('59 seconds');
    expect(await wrkr.stats('team')).toMatchObject({ held: 1 });
    await clock.advance('1 second');
    expect(await wrkr.stats('team')).toEqual({ ready: 0, delayed: 0, held: 0, dead: 0 });
    expect([errors.length, aborted]).toEqual([1, []]);
  });

  it('that comes too late is reported, and not tried again', async () => {
    const { clock, backend, acks, errors } = await holding(1);
    let calls = 0;
    backend.onSettle = async (batch) => {
      calls++;
      return batch.map((_, index) => ({ index, error: backendError('stale', 'gone') }));
    };
    acks.get('e0')?.();
    await clock.advance('10 minutes');
    expect([calls, errors]).toEqual([1, [expect.stringMatching(/^WRKR_STALE: 'a' in 'team' was not settled/)]]);
  });

  it('of several fails by itself', async () => {
    const { wrkr, clock, backend, acks, errors } = await holding(3);
    backend.onSettle = async (batch, settle) => {
      const failures = await settle(batch.filter(({ d }) => d.id !== 'e1'));
      const index = batch.findIndex(({ d }) => d.id === 'e1');
      return index < 0 ? failures : [...failures, { index, error: backendError('internal', 'no') }];
    };
    for (const ack of acks.values()) ack();
    await clock.settle();
    expect(errors).toHaveLength(1);
    expect(await wrkr.stats('team')).toMatchObject({ held: 1, ready: 0 });
  });

  it('waits for a server that is away, and is not made when the lease is lost in the meantime', async () => {
    const { clock, backend, acks, errors } = await holding(1);
    const calls: number[] = [];
    backend.onSettle = (batch) => {
      calls.push(batch.length);
      return Promise.reject(backendError('unavailable', 'away'));
    };
    backend.onExtend = () => Promise.reject(backendError('unavailable', 'away'));
    acks.get('e0')?.();
    await expect.poll(() => calls.length).toBeGreaterThan(1);
    await clock.advance('31 seconds');
    const soFar = calls.length;
    backend.onSettle = (batch, settle) => {
      calls.push(batch.length);
      return settle(batch);
    };
    await clock.advance('1 minute');
    await new Promise<void>((resolve) => clock.real.after(300, resolve));
    expect([calls.length - soFar <= 1, errors]).toEqual([true, []]);
  });
});
