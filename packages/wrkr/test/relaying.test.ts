import { Broker, MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import { backendError, type Outgoing } from 'wrkr/backend';
import { refusal, setup } from './setup.ts';

const HOUR = 3_600_000;

describe('an event that waits for its time', () => {
  it('is left to the next process, with nothing to report, if the bus stops while it cannot be sent on', async () => {
    const broker = new Broker();
    const { wrkr, clock, backend, logged } = setup({ backend: new MemoryBackend({ broker }) });
    const errors: string[] = [];
    wrkr.on('error', ({ code }) => errors.push(code));
    await wrkr.subscribe('team', 'a', () => {});
    await wrkr.start();
    const due = clock.now() + HOUR;
    await wrkr.publish({ name: 'a', when: '1 hour' });
    backend.send = () => Promise.reject(backendError('unavailable', 'away'));
    await clock.advance('1 hour');
    await wrkr.stop();
    expect([errors.filter((code) => code !== 'WRKR_UNAVAILABLE'), logged]).toEqual([[], []]);
    const next = setup({ clock, backend: new MemoryBackend({ broker }) });
    const seen: unknown[] = [];
    await next.wrkr.subscribe('team', 'a', ({ when, attempt }) => seen.push([when.getTime(), attempt]));
    await next.wrkr.start();
    await clock.settle();
    expect(seen).toEqual([[due, 1]]);
    expect((await next.wrkr.deadLetters({ queue: '$relay' })).items).toEqual([]);
  });

  it('keeps its time when it could not be sent on, became a dead letter and is redriven days later', async () => {
    const { wrkr, clock, backend } = setup();
    wrkr.on('error', () => {});
    const seen: unknown[] = [];
    await wrkr.subscribe('team', 'a', ({ when }) => seen.push(when.getTime()));
    await wrkr.start();
    const due = clock.now() + HOUR;
    await wrkr.publish({ name: 'a', when: '1 hour' });
    const { send } = backend;
    backend.send = () => Promise.reject(backendError('too_large', 'no'));
    await clock.advance('1 hour');
    backend.send = send;
    await clock.advance('3 days');
    expect(await wrkr.redrive({ queue: '$relay' })).toBe(1);
    await clock.settle();
    expect(seen).toEqual([due]);
  });

  it('waits in pieces that are no longer than the backend can wait', async () => {
    const delay = { maxMs: HOUR, granularityMs: 1, fanOut: false };
    const waits: number[] = [];
    class Short extends MemoryBackend {
      override send: MemoryBackend['send'] = (batch, options) => {
        for (const { at } of batch) if (at > 0) waits.push(at - this.now());
        return super.send(batch, options);
      };
      override consume: MemoryBackend['consume'] = async (queue, sink, options) => {
        const consumer = await super.consume(queue, sink, options);
        const settle = consumer.settle.bind(consumer);
        consumer.settle = (batch) => {
          for (const one of batch) if (one.do === 'move' && one.at > 0) waits.push(one.at - this.now());
          return settle(batch);
        };
        return consumer;
      };
    }
    const { wrkr, clock } = setup({ backend: new Short({ capabilities: { delay } }) });
    const seen: number[] = [];
    const began = clock.now();
    await wrkr.subscribe('team', 'a', (_, ack) => {
      seen.push(clock.now() - began);
      return seen.length === 1 ? ack.later('150 minutes') : ack();
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a', when: '150 minutes' });
    await clock.advance('1 day');
    expect(seen).toEqual([2.5 * HOUR, 5 * HOUR]);
    expect(waits).toEqual([HOUR, HOUR, HOUR / 2, HOUR, HOUR, HOUR / 2]);
  });
});

describe('a backend that keeps delayed events by itself', () => {
  /** Sends to its subscribers when it is time. */
  class Patient extends MemoryBackend {
    constructor() {
      super({ capabilities: { delay: { maxMs: HOUR, granularityMs: 1, fanOut: true } } });
    }

    override send: MemoryBackend['send'] = async (batch, options) => {
      const later = (out: Outgoing): boolean => 'event' in out.to && out.at > this.now();
      for (const out of batch.filter(later)) this.clock.after(out.at - this.now(), () => void super.send([{ ...out, at: 0 }]));
      return super.send(
        batch.filter((out) => !later(out)),
        options,
      );
    };
  }

  it('is given them as they are, with the time that the handler sees', async () => {
    const { wrkr, clock } = setup({ backend: new Patient() });
    const seen: unknown[] = [];
    await wrkr.subscribe('team', 'a', ({ id, when }) => seen.push([id, when.getTime(), clock.now()]));
    await wrkr.start();
    const due = clock.now() + HOUR;
    await wrkr.publish({ name: 'a', id: 'e', when: '1 hour' });
    await clock.advance('1 day');
    expect(seen).toEqual([['e', due, due]]);
  });

  it('refuses what it cannot keep so long', async () => {
    const { wrkr } = setup({ backend: new Patient() });
    await wrkr.start();
    const message = 'when: this backend can wait 3600000 ms at most';
    expect(await refusal(wrkr.publish({ name: 'a', when: HOUR + 1 }))).toEqual({
      code: 'WRKR_INVALID_WHEN',
      message,
      applied: 'no',
    });
  });
});

describe('a retry that is to wait in the scheduler', () => {
  const failing = async (scheduler: MemoryBackend, publishTimeout = 10_000) => {
    const world = setup({ memory: { capabilities: { delay: false } }, scheduler, publishTimeout });
    const errors: string[] = [];
    world.wrkr.on('error', ({ message }) => errors.push(message));
    const runs: unknown[] = [];
    const began = world.clock.now();
    const handler = ({ id, tid, attempt }: { id: string; tid: string | undefined; attempt: number }): void => {
      runs.push([id, tid, attempt, world.clock.now() - began]);
      if (attempt === 1) throw new Error('again');
    };
    await world.wrkr.subscribe('team', 'a', handler, { retry: { backoff: () => HOUR } });
    await world.wrkr.start();
    return { ...world, errors, runs };
  };

  it('waits in the process, with an error, if it can never be stored there, and the attempt counts', async () => {
    const scheduler = new MemoryBackend();
    const { wrkr, clock, errors, runs } = await failing(scheduler);
    scheduler.send = () => Promise.reject(backendError('too_large', 'no'));
    await wrkr.publish({ name: 'a', id: 'e', tid: 't' });
    await clock.settle();
    expect(errors).toEqual(["a retry of 'a' cannot wait in the scheduler, and waits in this process: no"]);
    await clock.advance('1 hour');
    expect(runs).toEqual([
      ['e', 't', 1, 0],
      ['e', 't', 2, HOUR],
    ]);
  });

  it('is kept, however long the scheduler is away', async () => {
    const scheduler = new MemoryBackend();
    const { wrkr, clock, errors, runs } = await failing(scheduler, 1);
    const { send } = scheduler;
    let calls = 0;
    scheduler.send = (batch) => (++calls < 4 ? Promise.reject(backendError('unavailable', 'away')) : send.call(scheduler, batch));
    await wrkr.publish({ name: 'a', id: 'e', tid: 't' });
    await expect.poll(async () => (await scheduler.stats?.('$retries'))?.delayed).toBe(1);
    await clock.advance('1 hour');
    expect([runs, errors]).toEqual([
      [
        ['e', 't', 1, 0],
        ['e', 't', 2, HOUR],
      ],
      [],
    ]);
  });

  it('comes back without a trace of the way', async () => {
    const { wrkr, clock, backend } = await failing(new MemoryBackend());
    await wrkr.publish({ name: 'a', headers: { mine: '1' } });
    await clock.settle();
    await wrkr.pause('team');
    await clock.advance('2 hours');
    const [row] = (await backend.browse?.({ queue: 'team' }, { limit: 1 }))?.items ?? [];
    expect(Object.keys(row?.headers ?? {}).sort()).toEqual(['mine', 'wrkr-attempt', 'wrkr-errors']);
  });
});
