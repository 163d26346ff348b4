import { Broker, MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import { gate, refusal, setup } from './setup.ts';

const HOUR = 3_600_000;

describe('reschedule', () => {
  it('gives what is not yet due another time, by its receipt, and its handler sees that time', async () => {
    const { wrkr, clock } = setup();
    const handled: unknown[] = [];
    await wrkr.subscribe('team', 'a', ({ id, when }) => handled.push([id, when.getTime(), clock.now()]));
    await wrkr.start();
    const began = clock.now();
    const [sooner, later] = await wrkr.publish([
      { name: 'a', id: 'sooner', when: '2 hours' },
      { name: 'a', id: 'later', when: '2 hours' },
    ]);
    expect(await wrkr.reschedule(sooner as { id: string }, '1 hour')).toBe(1);
    expect(await wrkr.reschedule(later as { id: string }, new Date(began + 3 * HOUR))).toBe(1);
    await clock.advance('1 day');
    expect(handled).toEqual([
      ['sooner', began + HOUR, began + HOUR],
      ['later', began + 3 * HOUR, began + 3 * HOUR],
    ]);
    expect(await wrkr.reschedule({ id: 'later' }, '1 hour')).toBe(0);
  });

  it('takes a filter, and the past means now', async () => {
    const { wrkr, clock } = setup();
    const handled: unknown[] = [];
    await wrkr.subscribe('team', '#', ({ id }) => handled.push(id));
    await wrkr.start();
    await wrkr.publish({ name: 'a', id: 'a1', tid: 't', when: '1 hour' });
    await wrkr.publish({ name: 'b', id: 'b1', tid: 't', when: '1 hour' });
    await wrkr.publish({ name: 'b', id: 'b2', tid: 'u', when: '1 hour' });
    expect(await wrkr.reschedule({ tid: 't', name: 'b' }, new Date(5))).toBe(1);
    await clock.settle();
    expect(handled).toEqual(['b1']);
  });

  it('with a queue reaches what waits there, retries too', async () => {
    const { wrkr, clock } = setup();
    let runs = 0;
    await wrkr.subscribe(
      'team',
      'a',
      () => {
        if (++runs === 1) throw new Error('again in an hour');
      },
      { retry: { backoff: () => HOUR } },
    );
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(await wrkr.reschedule({ queue: 'team' }, 0)).toBe(1);
    await clock.settle();
    expect(runs).toBe(2);
  });

  it('goes beyond what the backend can wait in one piece', async () => {
    const delay = { maxMs: HOUR, granularityMs: 1, fanOut: false };
    const { wrkr, clock } = setup({ memory: { capabilities: { delay } } });
    const handled: number[] = [];
    await wrkr.subscribe('team', 'a', () => handled.push(clock.now()));
    await wrkr.start();
    const began = clock.now();
    const soon = await wrkr.publish({ name: 'a', when: '5 minutes' });
    await wrkr.reschedule(soon, '10 hours');
    const far = await wrkr.publish({ name: 'a', when: '10 hours' });
    await wrkr.reschedule(far, '5 minutes');
    await clock.advance('1 day');
    expect(handled).toEqual([began + 300_000, began + 10 * HOUR]);
  });

  it.each([
    ['an empty filter', {}, '1 hour', 'WRKR_INVALID_FILTER'],
    ['an unclear time', { id: 'x' }, 'soon', 'WRKR_INVALID_WHEN'],
    ['no time', { id: 'x' }, undefined, 'WRKR_INVALID_WHEN'],
  ])('refuses %s', async (_, filter, when, code) => {
    const { wrkr } = setup();
    await wrkr.start();
    expect((await refusal(wrkr.reschedule(filter, when as never))).code).toBe(code);
  });

  it('is refused where the backend cannot', async () => {
    const { wrkr } = setup({ memory: { capabilities: { change: false } } });
    await wrkr.start();
    expect((await refusal(wrkr.reschedule({ id: 'x' }, 1))).code).toBe('WRKR_UNSUPPORTED');
  });
});

describe('pause and resume', () => {
  it('begins nothing new in this process and gives back what was not begun', async () => {
    const { wrkr, clock } = setup();
    const { opened, open } = gate();
    const handled: unknown[] = [];
    const handler = async ({ id }: { id: string }): Promise<void> => {
      handled.push(id);
      await opened;
    };
    await wrkr.subscribe('team', 'a', handler, { concurrency: 1 });
    await wrkr.start();
    await wrkr.publish([
      { name: 'a', id: '1' },
      { name: 'a', id: '2' },
    ]);
    await clock.settle();
    await wrkr.pause('team');
    await clock.settle();
    expect(await wrkr.stats('team')).toMatchObject({ held: 1, ready: 1 });
    open();
    await wrkr.publish({ name: 'a', id: '3' });
    await clock.advance('1 day');
    expect(handled).toEqual(['1']);
    expect(await wrkr.stats('team')).toMatchObject({ held: 0, ready: 2 });
    await wrkr.resume('team');
    await clock.settle();
    expect(handled).toEqual(['1', '2', '3']);
  });

  it('leaves other queues alone, and can be repeated', async () => {
    const { wrkr, clock } = setup();
    const handled: string[] = [];
    for (const queue of ['one', 'two']) await wrkr.subscribe(queue, 'a', (event) => handled.push(event.queue));
    await wrkr.start();
    await wrkr.pause('one');
    await wrkr.pause('one');
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(handled).toEqual(['two']);
    await wrkr.resume('one');
    await wrkr.resume('one');
    await clock.settle();
    expect(handled).toEqual(['two', 'one']);
  });

  it('refuse a queue that has no handler here', async () => {
    const { wrkr } = setup();
    await wrkr.start();
    for (const call of [wrkr.pause('nobody'), wrkr.resume('nobody')])
      expect(await refusal(call)).toMatchObject({ code: 'WRKR_INVALID_CALL', message: expect.stringContaining("'nobody'") });
  });
});

describe('purge', () => {
  it('throws away what waits, due or not; dead letters and what is handled stay', async () => {
    const { wrkr, clock } = setup();
    const { opened, open } = gate();
    let done = 0;
    const handler = async (event: { tid: string | undefined }, ack: { dead(): boolean }): Promise<void> => {
      if (event.tid === 'dies') return void ack.dead();
      await opened;
      done++;
    };
    await wrkr.subscribe('team', 'a', handler, { concurrency: 1 });
    await wrkr.start();
    await wrkr.publish({ name: 'a', tid: 'dies' });
    await clock.settle();
    await wrkr.publish(['1', '2', '3'].map((tid) => ({ name: 'a', tid })));
    await clock.settle();
    await wrkr.pause('team');
    await clock.settle();
    expect(await wrkr.purge('team')).toBe(2);
    expect(await wrkr.stats('team')).toEqual({ ready: 0, delayed: 0, held: 1, dead: 1 });
    open();
    await wrkr.resume('team');
    await clock.settle();
    expect(done).toBe(1);
  });

  it('is refused where the backend cannot', async () => {
    const { wrkr } = setup({ memory: { capabilities: { cancel: 'delayed' } } });
    await wrkr.start();
    expect((await refusal(wrkr.purge('team'))).code).toBe('WRKR_UNSUPPORTED');
  });
});

describe('deleteQueue', () => {
  it('takes bindings, events, dead letters and the handlers of this process', async () => {
    const { wrkr, clock } = setup();
    let runs = 0;
    await wrkr.subscribe('team', 'a', (event, ack) => {
      runs++;
      return ack.dead(event.tid);
    });
    await wrkr.subscribe('other', 'a', () => {});
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    await wrkr.pause('team');
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(await wrkr.stats('team')).toMatchObject({ ready: 1, dead: 1 });
    await wrkr.deleteQueue('team');
    expect(await wrkr.stats('team')).toEqual({ ready: 0, delayed: 0, held: 0, dead: 0 });
    expect(await wrkr.subscriptions()).toEqual([{ queue: 'other', pattern: 'a' }]);
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(runs).toBe(1);
    await wrkr.subscribe('team', 'a', () => runs++);
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(runs).toBe(2);
  });
});

describe('a queue that another process deletes', () => {
  it('ends its handlers here, with an error that says so, and can be subscribed again', async () => {
    const broker = new Broker();
    const one = setup({ memory: { broker } });
    const other = setup({ memory: { broker }, clock: one.clock });
    const handled: unknown[] = [];
    const errors: string[] = [];
    one.wrkr.on('error', ({ message }) => errors.push(message));
    await one.wrkr.subscribe('team', 'a', ({ tid }) => handled.push(tid));
    await one.wrkr.start();
    await other.wrkr.start();
    await other.wrkr.deleteQueue('team');
    await one.clock.settle();
    expect(errors).toEqual([expect.stringContaining("queue 'team' was deleted")]);
    await one.wrkr.subscribe('team', 'a', ({ tid }) => handled.push(tid));
    await other.wrkr.publish({ name: 'a', tid: 'again' });
    await one.clock.settle();
    expect(handled).toEqual(['again']);
  });
});

it('gives back what was not begun before it deletes a queue, without an error', async () => {
  const { wrkr, clock } = setup();
  const { opened, open } = gate();
  const errors: string[] = [];
  wrkr.on('error', ({ message }) => errors.push(message));
  await wrkr.subscribe('team', 'a', () => opened, { concurrency: 1 });
  await wrkr.start();
  await wrkr.publish(['1', '2', '3'].map((tid) => ({ name: 'a', tid })));
  await clock.settle();
  await wrkr.deleteQueue('team');
  expect(errors).toEqual([]);
  open();
});

it('a paused queue runs nothing, not even what has crashed before', async () => {
  const { wrkr, clock, backend } = setup();
  let runs = 0;
  await wrkr.subscribe('team', 'a', () => runs++);
  await wrkr.subscribe('team', 'b', () => {});
  await wrkr.start();
  await wrkr.pause('team');
  const consume = async (): Promise<void> => {
    const dying = new MemoryBackend({ broker: backend.broker });
    await dying.open({ clock, log: () => {}, onState: () => {} });
    await dying.consume('team', { deliver() {}, lost() {} }, { max: 1, leaseMs: 1000, kind: 'work' });
    await clock.settle();
    dying.crash();
    await clock.advance('2 seconds');
  };
  await wrkr.publish({ name: 'a' });
  for (let i = 0; i < 3; i++) await consume();
  expect(runs).toBe(0);
  await wrkr.resume('team');
  await clock.settle();
  expect(runs).toBe(1);
});

it('names that cannot be queues are refused by all of them', async () => {
  const { wrkr } = setup();
  await wrkr.start();
  const calls = [wrkr.pause(''), wrkr.resume('a b'), wrkr.purge('$relay'), wrkr.deleteQueue('a.dead'), wrkr.stats('a.*')];
  for (const call of calls) expect((await refusal(call)).code).toBe('WRKR_INVALID_NAME');
});
