import { describe, expect, it } from 'vitest';
import type { Ack, Handler, SubscriptionOptions } from 'wrkr';
import { gate, type Setup, setup } from './setup.ts';

interface Run extends Setup {
  /** When each attempt ran, in milliseconds since the event was published. */
  readonly runs: number[];
  readonly errors: string[];
}

/** One event, handled by this handler. */
async function run(handler: Handler, options: SubscriptionOptions = {}): Promise<Run> {
  const world = setup();
  const { wrkr, clock } = world;
  const runs: number[] = [];
  const errors: string[] = [];
  wrkr.on('error', (error) => errors.push(error.code));
  const start = clock.now();
  const noted: Handler = (event, ack, context) => {
    runs.push(clock.now() - start);
    return handler(event, ack, context);
  };
  await wrkr.subscribe('team', 'a', noted, { retry: { attempts: 3, backoff: (attempt) => attempt * 1000 }, ...options });
  await wrkr.start();
  await wrkr.publish({ name: 'a', tid: 't' });
  await clock.settle();
  return { ...world, runs, errors };
}

const done = { ready: 0, delayed: 0, held: 0, dead: 0 };

describe('an event is acked', () => {
  it.each<[string, Handler]>([
    ['returns', () => {}],
    ['returns something', () => 'ignored'],
    ['resolves', async () => {}],
    ['acks', (_, ack) => ack()],
    ['acks with null, as old callbacks do', (_, ack) => ack(null)],
    [
      'acks and goes on',
      async (_, ack) => {
        ack();
        await Promise.resolve();
      },
    ],
    [
      'acks and then throws',
      (_, ack) => {
        ack();
        throw new Error('late');
      },
    ],
    ['has one parameter and returns', (event) => event.name],
  ])('if its handler %s', async (_, handler) => {
    const { wrkr, clock, runs } = await run(handler);
    expect(await wrkr.stats('team')).toEqual(done);
    await clock.advance('1 day');
    expect(runs).toEqual([0]);
  });
});

describe('an event is tried again', () => {
  it.each<[string, Handler]>([
    [
      'throws',
      () => {
        throw new Error('x');
      },
    ],
    ['rejects', () => Promise.reject(new Error('x'))],
    [
      'throws something that is no error',
      () => {
        throw 'x';
      },
    ],
    ['rejects with nothing', () => Promise.reject()],
    ['acks with an error', (_, ack) => ack(new Error('x'))],
    ['asks for a retry', (_, ack) => ack.retry()],
  ])('if its handler %s: by the policy, and in the end it is a dead letter', async (_, handler) => {
    const { wrkr, clock, runs } = await run(handler);
    await clock.advance('1 day');
    expect(runs).toEqual([0, 1000, 3000]);
    expect(await wrkr.stats('team')).toEqual({ ...done, dead: 1 });
    const { items } = await wrkr.deadLetters({ queue: 'team' });
    expect(items[0]).toMatchObject({ attempts: 3, tid: 't', history: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }] });
  });

  it('at the time that its handler names, and that is an attempt', async () => {
    const { wrkr, clock, runs } = await run((_, ack) => ack.retry('1 hour'));
    await clock.advance('1 day');
    expect(runs).toEqual([0, 3_600_000, 7_200_000]);
    expect((await wrkr.stats('team')).dead).toBe(1);
  });

  it('by the policy, with an error, if the time cannot be read', async () => {
    const { clock, runs, errors } = await run((_, ack) => ack.retry('soon'));
    await clock.advance('1 day');
    expect(runs).toEqual([0, 1000, 3000]);
    expect(errors).toEqual(['WRKR_INVALID_WHEN', 'WRKR_INVALID_WHEN']);
  });

  it('by the default, with an error, if the policy is broken', async () => {
    const backoff = (): number => {
      throw new Error('broken');
    };
    const { clock, runs, errors } = await run(() => Promise.reject(new Error('x')), { retry: { attempts: 2, backoff } });
    await clock.advance('1 day');
    expect(runs).toHaveLength(2);
    expect(runs[1]).toBeLessThanOrEqual(1000);
    expect(errors).toEqual(['WRKR_INVALID_OPTION']);
  });
});

describe('ack.later', () => {
  it('gives the event back until then, and is not an attempt', async () => {
    const attempts: number[] = [];
    const { clock, runs, wrkr } = await run((event, ack) => {
      attempts.push(event.attempt);
      return attempts.length < 20 ? ack.later('1 day') : ack();
    });
    await clock.advance('30 days');
    expect(runs[19]).toBe(19 * 86_400_000);
    expect(new Set(attempts)).toEqual(new Set([1]));
    expect(await wrkr.stats('team')).toEqual(done);
  });

  it('without a time that can be read is a retry, with an error', async () => {
    const { clock, runs, errors } = await run((_, ack) => ack.later('in a while'));
    await clock.advance('1 day');
    expect(runs).toEqual([0, 1000, 3000]);
    expect(errors[0]).toBe('WRKR_INVALID_WHEN');
  });
});

describe('ack.dead', () => {
  it.each<[unknown, string]>([
    ['no such user', 'no such user'],
    [new Error('gone'), 'gone'],
    [undefined, 'the handler gave it up'],
  ])('gives the event up at once: %s', async (reason, message) => {
    const { wrkr, clock, runs } = await run((_, ack) => ack.dead(reason));
    await clock.advance('1 day');
    expect(runs).toEqual([0]);
    const { items } = await wrkr.deadLetters();
    expect(items).toMatchObject([{ attempts: 1, queue: 'team', error: { message } }]);
  });
});

describe('settling', () => {
  it('happens once: the first call wins, and says so', async () => {
    const answers: boolean[] = [];
    const { wrkr } = await run((_, ack) => {
      answers.push(ack(), ack(), ack(new Error('x')), ack.retry(), ack.later('1 day'), ack.dead());
    });
    expect(answers).toEqual([true, false, false, false, false, false]);
    expect(await wrkr.stats('team')).toEqual(done);
  });

  it('works with the methods taken off the ack', async () => {
    const { clock, runs } = await run((_, { retry }) => retry('1 minute'));
    await clock.advance('1 minute');
    expect(runs).toEqual([0, 60_000]);
  });

  it('frees a slot only when the handler has ended too', async () => {
    const { wrkr, clock } = setup();
    const first = gate();
    const seen: unknown[] = [];
    const handler: Handler = async (event, ack) => {
      seen.push(event.tid);
      ack();
      if (event.tid === '1') await first.opened;
    };
    await wrkr.subscribe('team', 'a', handler, { concurrency: 1 });
    await wrkr.start();
    await wrkr.publish([
      { name: 'a', tid: '1' },
      { name: 'a', tid: '2' },
    ]);
    await clock.settle();
    expect(seen).toEqual(['1']);
    first.open();
    await clock.settle();
    expect(seen).toEqual(['1', '2']);
  });
});

describe("in mode 'manual'", () => {
  it('returning does not settle, ack does, also later', async () => {
    const acks: Ack[] = [];
    const { wrkr, clock } = await run((_, ack) => void acks.push(ack), { ack: 'manual' });
    expect((await wrkr.stats('team')).held).toBe(1);
    await clock.advance('10 minutes');
    expect(acks[0]?.()).toBe(true);
    await clock.settle();
    expect(await wrkr.stats('team')).toEqual(done);
  });

  it('a throw is a retry all the same', async () => {
    const { clock, runs } = await run(
      () => {
        throw new Error('x');
      },
      { ack: 'manual' },
    );
    await clock.advance('1 second');
    expect(runs).toEqual([0, 1000]);
  });

  it('what is not settled in time is tried again, with a warning that names the handler', async () => {
    const { clock, runs, logged } = await run(() => {}, { ack: 'manual', timeout: '1 minute' });
    await clock.advance('61 seconds');
    expect(runs).toEqual([0, 61_000]);
    expect(logged.join()).toContain("the handler of 'team' for 'a' had not settled after 60000 ms");
  });

  it('events that wait for their ack count as running', async () => {
    const { wrkr, clock } = setup();
    const acks: Ack[] = [];
    await wrkr.subscribe('team', 'a', (_, ack) => void acks.push(ack), { ack: 'manual', concurrency: 2 });
    await wrkr.start();
    await wrkr.publish(Array.from({ length: 5 }, () => ({ name: 'a' })));
    await clock.settle();
    expect(acks).toHaveLength(2);
    acks[0]?.();
    await clock.settle();
    expect(acks).toHaveLength(3);
  });
});

describe('a handler that never ends', () => {
  it('is aborted at its timeout, its event is tried again, and what it says later has no effect', async () => {
    const reasons: string[] = [];
    const acks: Ack[] = [];
    const handler: Handler = (_, ack, { signal }) => {
      acks.push(ack);
      signal.addEventListener('abort', () => reasons.push(signal.reason.code));
      return new Promise(() => {});
    };
    const { wrkr, clock, runs, logged } = await run(handler, {
      timeout: '5 minutes',
      retry: { attempts: 2, backoff: () => 1000 },
    });
    await clock.advance('4 minutes');
    expect(reasons).toEqual([]);
    await clock.advance('1 minute');
    expect(reasons).toEqual(['WRKR_TIMEOUT']);
    expect(acks[0]?.()).toBe(false);
    await clock.advance('6 minutes');
    expect(runs).toEqual([0, 301_000]);
    expect(logged.join()).toContain("the handler of 'team' for 'a'");
    expect((await wrkr.deadLetters()).items).toMatchObject([{ error: { code: 'WRKR_TIMEOUT' } }]);
  });

  it('does not keep its slot', async () => {
    const { wrkr, clock } = setup();
    const seen: unknown[] = [];
    const handler: Handler = (event) => {
      seen.push(event.tid);
      return event.tid === 'hangs' ? new Promise(() => {}) : undefined;
    };
    await wrkr.subscribe('team', 'a', handler, { concurrency: 1, timeout: '1 minute' });
    await wrkr.start();
    await wrkr.publish([
      { name: 'a', tid: 'hangs' },
      { name: 'a', tid: 'next' },
    ]);
    await clock.advance('1 minute');
    expect(seen).toEqual(['hangs', 'next']);
  });

  it('gives its signal also when it asks for it late', async () => {
    let late: (() => AbortSignal) | undefined;
    const { clock } = await run(
      (_, __, context) => {
        late ??= () => context.signal;
        return new Promise(() => {});
      },
      { timeout: '1 minute' },
    );
    await clock.advance('2 minutes');
    expect(late?.().aborted).toBe(true);
    expect(late?.().reason).toMatchObject({ code: 'WRKR_TIMEOUT' });
  });
});

describe('the context', () => {
  it('can be taken apart', async () => {
    const { wrkr } = await run(async (_, __, { signal, followUp, log }) => {
      expect(signal.aborted).toBe(false);
      log.info('here');
      await followUp({ name: 'b', when: '1 day' });
    });
    expect((await wrkr.find()).items).toMatchObject([{ name: 'b' }]);
  });

  it('logs with the event', async () => {
    const lines: unknown[] = [];
    const { wrkr, clock } = setup({ logger: { warn: (message, extra) => lines.push(message, extra) } });
    await wrkr.subscribe('team', 'a', (_, __, { log }) => log.warn('careful', { more: 1 }));
    await wrkr.start();
    const { id } = await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(lines).toEqual(['careful', { id, name: 'a', queue: 'team', attempt: 1, more: 1 }]);
  });
});
