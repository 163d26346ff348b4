import { MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import type { Handler } from 'wrkr';
import { type Setup, setup } from './setup.ts';

/** Keeps how long what it is given back is to wait. */
class Noting extends MemoryBackend {
  readonly waits: number[] = [];

  override consume: MemoryBackend['consume'] = async (queue, sink, options) => {
    const consumer = await super.consume(queue, sink, options);
    const settle = consumer.settle.bind(consumer);
    consumer.settle = (batch) => {
      for (const one of batch) if (one.do === 'move') this.waits.push(one.at - this.now());
      return settle(batch);
    };
    return consumer;
  };
}

/** A queue that has a handler here, but none for 'b'. */
async function without(backend = new MemoryBackend(), unhandledFor: string | number = '1 hour'): Promise<Setup> {
  const world = setup({ backend, unhandledFor });
  await world.wrkr.subscribe('team', 'a', () => {});
  const subscription = await world.wrkr.subscribe('team', 'b', () => {});
  await world.wrkr.start();
  await subscription.dispose();
  return world;
}

describe('an event without a handler', () => {
  it('is offered again after a second, then ever later, and every minute at least', async () => {
    const backend = new Noting();
    const { wrkr, clock } = await without(backend);
    await wrkr.publish({ name: 'b' });
    await clock.advance('50 minutes');
    const { waits } = backend;
    expect(waits[0]).toBe(1000);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits.length).toBeLessThan(60);
    expect(new Set(waits.slice(-40))).toEqual(new Set([60_000]));
  });

  it('is warned of once for each name, and for a hundred names at most', async () => {
    const { wrkr, clock, logged } = await without();
    await wrkr.subscribe('other', 'many.*', () => {});
    const rest = await wrkr.subscribe('team', 'many.*', () => {});
    await rest.dispose();
    await wrkr.publish({ name: 'b' });
    await clock.advance('10 minutes');
    expect(logged).toEqual(["no handler here for 'b' from 'team': it is offered again for 3600 s, then a dead letter"]);
    await wrkr.publish(Array.from({ length: 200 }, (_, i) => ({ name: `many.n${i}` })));
    await clock.settle();
    expect(logged).toHaveLength(100);
  });

  it('is a dead letter as soon as its time is over', async () => {
    const { wrkr, clock } = await without(new MemoryBackend(), 4000);
    await wrkr.publish({ name: 'b' });
    await clock.advance(4000);
    const message = "no handler: no process takes 'b' from 'team'";
    expect((await wrkr.deadLetters()).items).toMatchObject([{ error: { code: 'WRKR_NO_HANDLER', message } }]);
  });

  it.each<[string, Handler]>([
    ['failed', () => Promise.reject(new Error('x'))],
    ['asked for later', (_, ack) => ack.later('1 minute')],
  ])('has its whole time again once a handler was found and %s', async (_, handler) => {
    const { wrkr, clock } = await without();
    await wrkr.publish({ name: 'b' });
    await clock.advance('55 minutes');
    const found = await wrkr.subscribe('team', 'b', handler, { retry: { backoff: () => 60_000 } });
    await clock.advance('61 seconds');
    await found.dispose();
    await clock.advance('55 minutes');
    expect(await wrkr.stats('team')).toMatchObject({ dead: 0, delayed: 1 });
    await clock.advance('10 minutes');
    expect(await wrkr.stats('team')).toMatchObject({ dead: 1, delayed: 0 });
  });
});
