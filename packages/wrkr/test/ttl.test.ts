import { VirtualClock } from '@wrkr/testing';
import { expect, it } from 'vitest';
import type { Handler } from 'wrkr';
import { backendError } from 'wrkr/backend';
import { type Setup, setup } from './setup.ts';

interface Late extends Setup {
  readonly expired: unknown[];
  readonly handled: unknown[];
  listen(handler?: Handler): Promise<void>;
}

/** A bus with a queue that nobody handles yet. */
async function late(): Promise<Late> {
  const world = setup({ clock: new VirtualClock({ patience: 500 }), publishTimeout: 1 });
  const expired: unknown[] = [];
  const handled: unknown[] = [];
  world.wrkr.on('expired', (event) => expired.push(event));
  await world.wrkr.subscribe('team', 'other', () => {});
  await world.wrkr.start();
  await world.backend.bind([{ queue: 'later', pattern: 'a', kind: 'work' }]);
  const listen = async (handler: Handler = ({ id }) => handled.push(id)): Promise<void> => {
    await world.wrkr.subscribe('later', 'a', handler);
    await world.clock.settle();
  };
  return { ...world, expired, handled, listen };
}

it('drops what was due longer ago, and says so', async () => {
  const { wrkr, clock, expired, handled, listen } = await late();
  await wrkr.publish({ name: 'a', tid: 't', id: 'old', ttl: '1 minute' });
  await clock.advance('30 seconds');
  await wrkr.publish({ name: 'a', id: 'young', ttl: '1 minute' });
  await wrkr.publish({ name: 'a', id: 'plain' });
  await clock.advance('31 seconds');
  await listen();
  expect(handled).toEqual(['young', 'plain']);
  expect(expired).toEqual([{ id: 'old', name: 'a', tid: 't', queue: 'later' }]);
  expect(await wrkr.stats('later')).toEqual({ ready: 0, delayed: 0, held: 0, dead: 0 });
});

it('counts from the due time, not from publishing nor from when it was sent on', async () => {
  const { wrkr, clock, expired, handled, listen } = await late();
  await wrkr.publish({ name: 'a', id: 'd', when: '1 day', ttl: '1 minute' });
  await clock.advance('1 day');
  await clock.advance('59 seconds');
  await listen();
  expect(handled).toEqual(['d']);
  expect(expired).toEqual([]);
});

it('does not run out while the event is in retry, nor after ack.later, nor for a dead letter', async () => {
  const { wrkr, clock, expired, listen } = await late();
  const runs: number[] = [];
  await listen((event, ack) => {
    runs.push(event.attempt);
    if (runs.length === 1) throw new Error('first');
    if (runs.length === 2) return ack.later('1 hour');
    return runs.length === 3 ? ack.dead('third') : undefined;
  });
  await wrkr.publish({ name: 'a', ttl: 100 });
  await clock.advance('2 hours');
  await wrkr.redrive({ queue: 'later' });
  await clock.settle();
  expect(runs).toEqual([1, 2, 2, 1]);
  expect(expired).toEqual([]);
});

it('does not run out while follow-ups cannot be stored', async () => {
  const { wrkr, clock, backend, expired, listen } = await late();
  let runs = 0;
  await listen(async (_, __, { followUp }) => {
    runs++;
    await followUp({ name: 'next' });
  });
  const send = backend.send;
  backend.send = (batch) =>
    runs < 3 && batch.some(({ name }) => name === 'next')
      ? Promise.reject(backendError('unavailable', 'gone'))
      : send.call(backend, batch);
  await wrkr.publish({ name: 'a', ttl: 100 });
  await clock.advance('1 minute');
  expect([runs, expired]).toEqual([3, []]);
});

it('is lifted by a new time for what waits in a queue', async () => {
  const { wrkr, clock, expired, handled, listen } = await late();
  await wrkr.publish({ name: 'a', id: 'moved', ttl: '1 minute' });
  await wrkr.reschedule({ queue: 'later' }, '1 hour');
  await listen();
  await clock.advance('2 hours');
  expect([handled, expired]).toEqual([['moved'], []]);
});
