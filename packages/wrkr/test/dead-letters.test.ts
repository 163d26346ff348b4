import { describe, expect, it } from 'vitest';
import type { Handler } from 'wrkr';
import { refusal, type Setup, setup } from './setup.ts';

/** A bus with so many dead letters in each of these queues. */
async function buried(
  counts: Record<string, number>,
  options: Parameters<typeof setup>[0] = {},
): Promise<Setup & { mend(): void; readonly handled: string[] }> {
  const world = setup(options);
  const handled: string[] = [];
  let broken = true;
  const handler: Handler = (event) => {
    if (broken) throw Object.assign(new Error(`cannot do ${event.tid}`), { code: 'E_BROKEN' });
    handled.push(`${event.queue} ${event.tid} ${event.attempt}`);
  };
  for (const [queue, count] of Object.entries(counts)) {
    await world.wrkr.subscribe(queue, `for.${queue}`, handler, { retry: { attempts: 2, backoff: () => 1000 } });
    if (queue === Object.keys(counts)[0]) await world.wrkr.start();
    for (let i = 0; i < count; i++) await world.wrkr.publish({ name: `for.${queue}`, tid: `${queue}-${i}`, payload: { i } });
  }
  await world.clock.advance('1 minute');
  return {
    ...world,
    handled,
    mend: () => {
      broken = false;
    },
  };
}

describe('a dead letter', () => {
  it('has the event, where and when it died, its error and its history', async () => {
    const { wrkr, clock } = await buried({ mail: 1 });
    const { items, next } = await wrkr.deadLetters({ queue: 'mail' });
    expect(next).toBeUndefined();
    expect(items).toEqual([
      {
        id: expect.any(String),
        name: 'for.mail',
        tid: 'mail-0',
        payload: { i: 0 },
        queue: 'mail',
        diedAt: new Date(clock.now() - 59_000),
        error: { message: 'cannot do mail-0', code: 'E_BROKEN', stack: expect.stringContaining('Error: cannot do mail-0') },
        attempts: 2,
        history: [
          { at: clock.now() - 60_000, attempt: 1, message: 'cannot do mail-0', code: 'E_BROKEN', stack: expect.any(String) },
          { at: clock.now() - 59_000, attempt: 2, message: 'cannot do mail-0', code: 'E_BROKEN', stack: expect.any(String) },
        ],
      },
    ]);
  });

  it('keeps the last five errors, each cut to 1 KiB', async () => {
    const { wrkr, clock } = setup();
    let run = 0;
    await wrkr.subscribe(
      'team',
      'a',
      () => {
        throw new Error(`failure ${++run} ${'ü'.repeat(5000)}`);
      },
      { retry: { attempts: 8, backoff: () => 1 } },
    );
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('1 second');
    const { items } = await wrkr.deadLetters();
    const history = items[0]?.history ?? [];
    expect(history.map(({ message }) => message.slice(0, 9))).toEqual([4, 5, 6, 7, 8].map((n) => `failure ${n}`));
    for (const error of history) expect(Buffer.byteLength(JSON.stringify(error))).toBeLessThanOrEqual(1024);
  });

  it('also tells of errors that can hardly be shown', async () => {
    const { wrkr, clock } = setup();
    const odd: unknown[] = [
      undefined,
      null,
      5,
      {
        toString() {
          throw new Error('no');
        },
      },
      Object.assign(new Error('\ud800'), { code: 5, stack: 7 }),
    ];
    await wrkr.subscribe(
      'team',
      'a',
      () => {
        throw odd.shift();
      },
      { retry: { attempts: 5, backoff: () => 1 } },
    );
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('1 second');
    const { items } = await wrkr.deadLetters();
    expect(items[0]?.history.map(({ message }) => message)).toEqual([
      'undefined',
      'null',
      '5',
      'an error that cannot be shown',
      '\ufffd',
    ]);
  });

  it('is reported to listeners, as retries are', async () => {
    const { wrkr, clock } = setup();
    const told: unknown[] = [];
    wrkr.on('retry', (event, error, at) =>
      told.push(['retry', event.attempt, (error as Error).message, at.getTime() - clock.now()]),
    );
    wrkr.on('dead', (event, error) => told.push(['dead', event.queue, event.attempt, (error as Error).message]));
    await wrkr.subscribe(
      'team',
      'a',
      () => {
        throw new Error('x');
      },
      { retry: { attempts: 2, backoff: () => 500 } },
    );
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('1 second');
    expect(told).toEqual([
      ['retry', 1, 'x', 500],
      ['dead', 'team', 2, 'x'],
    ]);
  });

  it('is made of a body that cannot be read, at once', async () => {
    const { wrkr, clock, backend } = setup();
    await wrkr.subscribe('team', 'a', () => expect.fail('it was run'));
    await wrkr.start();
    await backend.send([
      { to: { event: 'a' }, id: 'foreign', name: 'a', sentAt: clock.now(), at: 0, headers: {}, body: Buffer.from('no json') },
    ]);
    await clock.settle();
    expect((await wrkr.deadLetters()).items).toMatchObject([
      { id: 'foreign', payload: undefined, attempts: 0, error: { code: 'WRKR_UNREADABLE' } },
    ]);
  });

  it('is made of an event that has more attempts behind it than are now allowed, unrun', async () => {
    const { wrkr, clock } = setup();
    let runs = 0;
    const failing: Handler = () => {
      runs++;
      throw new Error('x');
    };
    const first = await wrkr.subscribe('team', 'a', failing, { retry: { attempts: 10, backoff: () => 60_000 } });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('3 minutes');
    expect(runs).toBe(4);
    await first.dispose();
    await wrkr.subscribe('team', 'a', failing, { retry: { attempts: 2 } });
    await clock.advance('1 minute');
    expect(runs).toBe(4);
    expect((await wrkr.deadLetters()).items).toMatchObject([
      { attempts: 4, error: { message: expect.stringContaining('no attempt is left') } },
    ]);
  });
});

describe('deadLetters', () => {
  it('lists page by page, over all queues, each once', async () => {
    const { wrkr } = await buried({ a: 7, b: 0, c: 5, d: 3 });
    const seen: (string | undefined)[] = [];
    let after: string | undefined;
    do {
      const page = await wrkr.deadLetters({ limit: 4, ...(after !== undefined && { after }) });
      expect(page.items.length).toBeLessThanOrEqual(4);
      seen.push(...page.items.map(({ tid }) => tid));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toHaveLength(15);
    expect(new Set(seen).size).toBe(15);
  });

  it('filters by queue, name, tid and id', async () => {
    const { wrkr } = await buried({ a: 2, b: 2 });
    const tids = async (filter: object): Promise<unknown> => (await wrkr.deadLetters(filter)).items.map(({ tid }) => tid);
    expect(await tids({ queue: 'a' })).toEqual(['a-0', 'a-1']);
    expect(await tids({ name: 'for.b' })).toEqual(['b-0', 'b-1']);
    expect(await tids({ tid: 'b-1' })).toEqual(['b-1']);
    expect(await tids({ queue: 'a', tid: 'b-1' })).toEqual([]);
    expect(await tids({ queue: 'nobody' })).toEqual([]);
  });
});

describe('redrive', () => {
  it('sends them back to where they died, as first attempts, with their history', async () => {
    const { wrkr, clock, handled, mend } = await buried({ a: 3, b: 1 });
    expect(await wrkr.redrive({ queue: 'a', tid: 'a-1' })).toBe(1);
    await clock.advance('1 minute');
    expect((await wrkr.deadLetters({ tid: 'a-1' })).items[0]?.history).toHaveLength(4);
    mend();
    expect(await wrkr.redrive({ name: 'for.a' })).toBe(3);
    await clock.settle();
    expect(handled.sort()).toEqual(['a a-0 1', 'a a-1 1', 'a a-2 1']);
    expect(await wrkr.redrive({ queue: 'a' })).toBe(0);
    expect((await wrkr.stats('b')).dead).toBe(1);
  });

  it('is not capped by a page', async () => {
    const { wrkr } = await buried({ a: 150 });
    expect((await wrkr.deadLetters({ queue: 'a' })).items).toHaveLength(100);
    expect(await wrkr.redrive({ queue: 'a' })).toBe(150);
  });
});

describe('redrive, where a queue is gone', () => {
  it('does the others, and says what it could not do', async () => {
    const { wrkr, backend } = await buried({ a: 1, b: 2, c: 1 });
    await backend.drop('b');
    expect(await wrkr.redrive({ name: 'for.a' })).toBe(1);
    const refused = await refusal(wrkr.redrive({ queue: 'b' }));
    expect(refused).toMatchObject({
      code: 'WRKR_BACKEND',
      message: expect.stringContaining("not those of b: there is no queue 'b'"),
    });
    const left = async (queue: string): Promise<unknown> => (await wrkr.stats(queue)).dead;
    expect([await left('a'), await left('b'), await left('c')]).toEqual([0, 2, 1]);
  });

  it('is nothing to complain of if nothing was there', async () => {
    const { wrkr } = await buried({ a: 1 });
    expect(await wrkr.redrive({ queue: 'nobody' })).toBe(0);
  });
});

describe('discard', () => {
  it('throws them away for good', async () => {
    const { wrkr, clock, mend, handled } = await buried({ a: 3 });
    expect(await wrkr.discard({ tid: 'a-0' })).toBe(1);
    expect(await wrkr.discard({ queue: 'a' })).toBe(2);
    mend();
    expect(await wrkr.redrive({ queue: 'a' })).toBe(0);
    await clock.advance('1 day');
    expect(handled).toEqual([]);
  });
});

describe('with a limit', () => {
  it('takes no more than that, of whatever queues', async () => {
    const { wrkr } = await buried({ a: 3, b: 3 });
    expect(await wrkr.discard({ queue: 'a', limit: 2 })).toBe(2);
    expect(await wrkr.redrive({ name: 'for.b', limit: 2 })).toBe(2);
    const left = async (queue: string): Promise<unknown> => (await wrkr.stats(queue)).dead;
    expect([await left('a'), await left('b')]).toEqual([1, 1]);
  });

  it.each([0, -1, 1.5, Number.NaN, '3'])('refuses %s', async (limit) => {
    const { wrkr } = await buried({ a: 1 });
    expect((await refusal(wrkr.discard({ queue: 'a', limit: limit as number }))).code).toBe('WRKR_INVALID_FILTER');
    expect((await wrkr.stats('a')).dead).toBe(1);
  });
});

describe.each([
  { what: 'which it counts', memory: { capabilities: { dead: 'drain' } } as const },
  { what: 'which it cannot count', memory: { capabilities: { dead: 'drain', stats: false } } as const },
])('a backend whose dead letters can only be consumed, $what', ({ memory }) => {
  it('sends them back, so many or all, as first attempts', async () => {
    const { wrkr, clock, handled, mend } = await buried({ a: 5, b: 1 }, { memory });
    mend();
    expect(await wrkr.redrive({ queue: 'a', limit: 2 })).toBe(2);
    await clock.settle();
    expect(handled.sort()).toEqual(['a a-0 1', 'a a-1 1']);
    expect(await wrkr.redrive({ queue: 'a' })).toBe(3);
    expect(await wrkr.redrive({ queue: 'a' })).toBe(0);
    await clock.settle();
    expect(handled).toHaveLength(5);
  });

  it('throws them away, more than it consumes at once', async () => {
    const { wrkr, clock, handled, mend } = await buried({ a: 250 }, { memory });
    expect(await wrkr.discard({ queue: 'a' })).toBe(250);
    mend();
    expect(await wrkr.redrive({ queue: 'a' })).toBe(0);
    await clock.advance('1 day');
    expect(handled).toEqual([]);
  });

  it('says what could not be sent back, and keeps it', async () => {
    const { wrkr, backend } = await buried({ a: 2 }, { memory });
    await backend.drop('a');
    expect(await refusal(wrkr.redrive({ queue: 'a' }))).toMatchObject({ code: 'WRKR_BACKEND' });
    await backend.bind([{ queue: 'a', kind: 'work' }]);
    expect(await wrkr.discard({ queue: 'a' })).toBe(0); // it waits a minute
  });

  it('does not send back what has died since', async () => {
    const { wrkr, clock } = await buried({ a: 3 }, { memory });
    await wrkr.subscribe('a', 'other', () => {});
    const redriven = wrkr.redrive({ queue: 'a' });
    await clock.advance('1 minute');
    expect(await redriven).toBe(3);
    await clock.advance('1 minute');
    expect(await wrkr.discard({ queue: 'a' })).toBe(3);
  });

  it('refuses what it cannot do, and changes nothing', async () => {
    const { wrkr } = await buried({ a: 2 }, { memory });
    const calls = [
      () => wrkr.deadLetters({ queue: 'a' }),
      () => wrkr.redrive({ tid: 'a-1' }),
      () => wrkr.redrive({ queue: 'a', tid: 'a-1' }),
      () => wrkr.discard({ name: 'for.a', limit: 1 }),
    ];
    for (const call of calls) expect((await refusal(call())).code).toBe('WRKR_UNSUPPORTED');
    expect(await wrkr.discard({ queue: 'a' })).toBe(2);
  });
});
