import { describe, expect, it } from 'vitest';
import type { Ack, Handler, SubscriptionOptions } from 'wrkr';
import { gate, setup } from './setup.ts';

describe('deadlines', () => {
  it('are kept for each handler, whichever comes first and whichever has ended', async () => {
    const { wrkr, clock } = setup();
    const ended: unknown[] = [];
    const began = clock.now();
    const hang: Handler = (event, _, { signal }) => {
      signal.addEventListener('abort', () => ended.push([event.queue, clock.now() - began]));
      return event.queue === 'quick' ? undefined : new Promise(() => {});
    };
    for (const [queue, minutes] of Object.entries({ late: 5, quick: 1, early: 2, later: 7 }))
      await wrkr.subscribe(queue, 'a', hang, { timeout: `${minutes} minutes`, retry: { attempts: 1 } });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('10 minutes');
    expect(ended).toEqual([
      ['early', 120_000],
      ['late', 300_000],
      ['later', 420_000],
    ]);
  });
});

describe('a handler that fails after its event was settled', () => {
  const late = async (settle: (ack: Ack) => unknown, options: SubscriptionOptions): Promise<readonly string[]> => {
    const lines: string[] = [];
    const note = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
    const { wrkr, clock } = setup({ logger: { debug: note('debug'), warn: note('warn'), error: note('error') } });
    const { opened, open } = gate();
    const handler: Handler = async (_, ack) => {
      settle(ack);
      await opened;
      throw new Error('late');
    };
    await wrkr.subscribe('team', 'a', handler, options);
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('90 seconds');
    open();
    await clock.settle();
    return lines.filter((line) => line.includes('after its event was settled'));
  };

  it('is warned of', async () => {
    expect(await late((ack) => ack(), {})).toEqual(['warn: the handler failed after its event was settled']);
  });

  it('is not, where it was cut off and told so', async () => {
    const lines = await late(() => {}, { timeout: '1 minute', retry: { attempts: 1 } });
    expect(lines).toEqual(['debug: the handler failed after its event was settled']);
  });
});
