import { MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import { type HandleMiddleware, logging, type Middleware, type PublishMiddleware, stamp } from 'wrkr';
import { refusal, setup } from './setup.ts';

describe('middleware of publish', () => {
  const doubled: PublishMiddleware = (event) => ({ ...event, payload: Number(event.payload) * 2 });
  const plusOne: PublishMiddleware = (event) => ({ ...event, payload: Number(event.payload) + 1 });

  it('changes every event that is published, the first of them first: single, several and follow-ups', async () => {
    const { wrkr, clock } = setup({ middleware: { publish: [doubled, plusOne] } });
    const seen: unknown[] = [];
    await wrkr.subscribe('team', 'a', ({ payload }, _, { followUp }) => {
      seen.push(payload);
      return followUp({ name: 'b', payload });
    });
    await wrkr.subscribe('team', 'b', ({ payload }) => seen.push(['follow-up', payload]));
    await wrkr.start();
    await wrkr.publish({ name: 'a', payload: 1 });
    await clock.settle();
    await wrkr.publish([{ name: 'a', payload: 10 }]);
    await clock.settle();
    expect(seen).toEqual([3, ['follow-up', 7], 21, ['follow-up', 43]]);
  });

  it('leaves what it was given alone', async () => {
    const { wrkr } = setup({ middleware: { publish: [stamp({ tenant: 'a' })] } });
    await wrkr.start();
    const event = Object.freeze({ name: 'a', headers: Object.freeze({ mine: 'x' }) });
    await wrkr.publish(event);
    expect(event).toEqual({ name: 'a', headers: { mine: 'x' } });
  });

  it('can rename an event and give it a time; what comes out is checked', async () => {
    const later: PublishMiddleware = (event) => ({ ...event, name: `test.${event.name}`, when: '1 hour' });
    const { wrkr } = setup({ middleware: { publish: [later] } });
    await wrkr.start();
    const { id } = await wrkr.publish({ name: 'a' });
    expect((await wrkr.find()).items).toMatchObject([{ id, name: 'test.a' }]);
    expect((await refusal(wrkr.publish({ name: '' }))).code).toBe('WRKR_INVALID_NAME');
  });

  it('that throws rejects the publish, and nothing of it is stored', async () => {
    const picky: PublishMiddleware = (event) => {
      if (event.tid === undefined) throw new Error(`'${event.name}' is about nothing`);
      return event;
    };
    const { wrkr } = setup({ middleware: { publish: [picky] } });
    await wrkr.subscribe('team', '#', () => {}, { concurrency: 1 });
    await wrkr.start();
    await wrkr.pause('team');
    await expect(wrkr.publish([{ name: 'a', tid: 't' }, { name: 'b' }])).rejects.toThrow("'b' is about nothing");
    expect((await wrkr.stats('team')).ready).toBe(0);
  });

  it.each<[string, unknown, string, string]>([
    ['is async', async (event: unknown) => event, 'WRKR_INVALID_CALL', 'must be synchronous'],
    ['is async and fails', () => Promise.reject(new Error('x')), 'WRKR_INVALID_CALL', 'must be synchronous'],
    ['returns nothing', () => {}, 'WRKR_INVALID_EVENT', 'not undefined'],
    ['makes a field that no event has', () => ({ name: 'a', color: 'red' }), 'WRKR_INVALID_EVENT', "'color'"],
  ])('that %s is refused, whatever comes after it', async (_, transform, code, message) => {
    const { wrkr } = setup({ middleware: { publish: [transform as PublishMiddleware, stamp({ tenant: 'a' })] } });
    await wrkr.start();
    expect(await refusal(wrkr.publish({ name: 'a' }))).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('is not asked when what is published is no event', async () => {
    const { wrkr } = setup({ middleware: { publish: [stamp({ tenant: 'a' })] } });
    await wrkr.start();
    for (const none of [null, undefined, 'user.added', 5])
      expect((await refusal(wrkr.publish(none as never))).code).toBe('WRKR_INVALID_EVENT');
  });
});

describe('middleware of handle', () => {
  const tell =
    (told: unknown[], name: string): HandleMiddleware =>
    async (event, _ack, _context, next) => {
      told.push(`${name} before ${event.attempt}`);
      await next();
      told.push(`${name} after`);
    };

  it('is around the handler, the first outermost', async () => {
    const told: unknown[] = [];
    const { wrkr, clock } = setup({ middleware: { handle: [tell(told, 'outer'), tell(told, 'inner')] } });
    await wrkr.subscribe('team', 'a', () => told.push('handler'));
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(told).toEqual(['outer before 1', 'inner before 1', 'handler', 'inner after', 'outer after']);
    expect(await wrkr.stats('team')).toMatchObject({ ready: 0, delayed: 0, held: 0, dead: 0 });
  });

  it('is around those that are subscribed while the bus runs too', async () => {
    const told: unknown[] = [];
    const { wrkr, clock } = setup({ middleware: { handle: [tell(told, 'it')] } });
    await wrkr.start();
    await wrkr.subscribe('team', 'a', () => {});
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(told).toEqual(['it before 1', 'it after']);
  });

  it('hands over another event if it calls next with one', async () => {
    const upper: HandleMiddleware = (event, _ack, _context, next) =>
      next({ ...event, payload: String(event.payload).toUpperCase() });
    const { wrkr, clock } = setup({ middleware: { handle: [upper] } });
    const seen: unknown[] = [];
    await wrkr.subscribe('team', 'a', ({ payload }) => seen.push(payload));
    await wrkr.start();
    await wrkr.publish({ name: 'a', payload: 'text' });
    await clock.settle();
    expect(seen).toEqual(['TEXT']);
  });

  it('that returns without calling next has the event acked, unrun', async () => {
    const notTwice = new Set<string>();
    const seenBefore: HandleMiddleware = (event, _ack, _context, next) => {
      if (notTwice.has(event.id)) return;
      notTwice.add(event.id);
      return next();
    };
    const { wrkr, clock } = setup({ middleware: { handle: [seenBefore] } });
    let runs = 0;
    await wrkr.subscribe('team', 'a', () => runs++);
    await wrkr.start();
    for (let i = 0; i < 3; i++) {
      await wrkr.publish({ name: 'a', id: 'the same' });
      await clock.settle();
    }
    expect([runs, await wrkr.stats('team')]).toEqual([1, { ready: 0, delayed: 0, held: 0, dead: 0 }]);
  });

  it('sees the error of the handler; what it throws itself is a failed attempt', async () => {
    const errors: unknown[] = [];
    const translated: HandleMiddleware = async (_event, _ack, _context, next) => {
      try {
        await next();
      } catch (error) {
        errors.push((error as Error).message);
        throw new Error('in other words');
      }
    };
    const { wrkr, clock } = setup({ middleware: { handle: [translated] }, retry: { attempts: 2, backoff: () => 1000 } });
    await wrkr.subscribe('team', 'a', () => {
      throw new Error('x');
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('1 minute');
    expect(errors).toEqual(['x', 'x']);
    const [letter] = (await wrkr.deadLetters()).items;
    expect(letter).toMatchObject({ attempts: 2, error: { message: 'in other words' } });
  });

  it('that throws before next is a failed attempt, thrown at once or later', async () => {
    let ways = 0;
    const fails: HandleMiddleware = (_event, _ack, _context, next) => {
      if (++ways === 1) throw new Error('at once');
      return ways === 2 ? Promise.reject(new Error('later')) : next();
    };
    const { wrkr, clock } = setup({ middleware: { handle: [fails] }, retry: { backoff: () => 1000 } });
    const retried: unknown[] = [];
    wrkr.on('retry', ({ attempt }, error) => retried.push([attempt, (error as Error).message]));
    const attempts: number[] = [];
    await wrkr.subscribe('team', 'a', ({ attempt }) => attempts.push(attempt));
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('1 minute');
    expect(retried).toEqual([
      [1, 'at once'],
      [2, 'later'],
    ]);
    expect(attempts).toEqual([3]);
  });

  it('that catches the error has the event acked', async () => {
    const forgiving: HandleMiddleware = (_event, _ack, _context, next) => next().catch(() => {});
    const { wrkr, clock } = setup({ middleware: { handle: [forgiving] } });
    await wrkr.subscribe('team', 'a', () => {
      throw new Error('x');
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(await wrkr.stats('team')).toEqual({ ready: 0, delayed: 0, held: 0, dead: 0 });
  });

  it('can settle by itself: the first to settle wins', async () => {
    const told: unknown[] = [];
    const tooOften: HandleMiddleware = async (event, ack, _context, next) => {
      if (event.attempt > 1) told.push(ack.dead('twice is enough'));
      await next();
    };
    const { wrkr, clock } = setup({ middleware: { handle: [tooOften] } });
    await wrkr.subscribe('team', 'a', (_, ack) => {
      told.push(ack.retry(0));
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.advance('1 minute');
    expect(told).toEqual([true, true, false]);
    expect((await wrkr.stats('team')).dead).toBe(1);
  });

  it('with manual acks settles nothing by returning, with or without next', async () => {
    const acks: (() => boolean)[] = [];
    const keeps: HandleMiddleware = (event, ack, _context, next) => (event.name === 'b' ? acks.push(ack) : next());
    const { wrkr, clock } = setup({ middleware: { handle: [keeps] } });
    await wrkr.subscribe('team', '#', (_, ack) => acks.push(ack), { ack: 'manual' });
    await wrkr.start();
    await wrkr.publish([{ name: 'a' }, { name: 'b' }]);
    await clock.settle();
    expect((await wrkr.stats('team')).held).toBe(2);
    expect(acks.map((ack) => ack())).toEqual([true, true]);
    await clock.settle();
    expect((await wrkr.stats('team')).held).toBe(0);
  });

  it('does not hide from stop() that it was called inside a handler', async () => {
    const after: HandleMiddleware = (_event, _ack, _context, next) => next().finally(() => {});
    const { wrkr, clock } = setup({ middleware: { handle: [logging(), tell([], 'it'), after] } });
    const order: string[] = [];
    await wrkr.subscribe('team', 'a', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      await wrkr.stop();
      order.push(wrkr.state);
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect([order, wrkr.state]).toEqual([['stopping'], 'closed']);
  });
});

describe('the option middleware', () => {
  it.each<[string, unknown, string]>([
    ['no object', [], 'middleware must be an object'],
    ['misspelled', { handler: [] }, "Did you mean 'handle'?"],
    ['no list', { handle: () => {} }, 'middleware.handle must be an array of functions'],
    ['a list of something else', { publish: [{}] }, 'middleware.publish must be an array of functions'],
  ])('that is %s is refused', (_, middleware, message) => {
    expect(() => setup({ backend: new MemoryBackend(), middleware: middleware as Middleware })).toThrow(
      expect.objectContaining({ code: 'WRKR_INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });
});

describe('stamp', () => {
  it('puts headers on every event; its own win, and a function is asked each time', async () => {
    let count = 0;
    const counted = stamp(() => ({ count: String(++count) }));
    const { wrkr, clock } = setup({ middleware: { publish: [stamp({ tenant: 'a', version: '1' }), counted] } });
    const seen: unknown[] = [];
    await wrkr.subscribe('team', 'a', ({ headers }) => seen.push(headers));
    await wrkr.start();
    await wrkr.publish([{ name: 'a' }, { name: 'a', headers: { tenant: 'b' } }]);
    await clock.settle();
    expect(seen).toEqual([
      { tenant: 'a', version: '1', count: '1' },
      { tenant: 'b', version: '1', count: '2' },
    ]);
  });
});

describe('logging', () => {
  it('writes a line at debug for each run, with its milliseconds and its error, and hides none', async () => {
    let now = 0;
    const timer = { now: () => now, after: () => () => {} };
    const lines: unknown[] = [];
    const logger = { debug: (message: string, extra?: object) => lines.push([message, extra]) };
    const { wrkr, clock } = setup({ logger, middleware: { handle: [logging(timer)] } });
    await wrkr.subscribe('team', 'a', ({ attempt }) => {
      now += 7.4;
      if (attempt === 1) throw new Error('x');
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a', id: 'e' });
    await clock.advance('1 minute');
    const event = { id: 'e', name: 'a', queue: 'team' };
    expect(lines).toEqual([
      ["failed to handle 'a'", { ...event, attempt: 1, ms: 7, error: new Error('x') }],
      ["handled 'a'", { ...event, attempt: 2, ms: 7 }],
    ]);
  });
});

it('stamp leaves headers that are none for publish to refuse', async () => {
  const { wrkr } = setup({ middleware: { publish: [stamp({ v: '1' })] } });
  await wrkr.start();
  for (const headers of [new Map([['a', 'b']]), 'ab', ['a']])
    expect((await refusal(wrkr.publish({ name: 'a', headers } as never))).code).toBe('WRKR_INVALID_EVENT');
});
