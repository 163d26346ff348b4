import { AsyncLocalStorage } from 'node:async_hooks';
import { execFile } from 'node:child_process';
import { tracingChannel } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type HandlerContext, logging, type ProcessMessage, type PublishMessage } from 'wrkr';
import * as z from 'zod';
import { refusal, setup } from './setup.ts';

const STEPS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Step = (typeof STEPS)[number];
type Heard<Message> = [step: Step, message: Message];

/** What is heard on a channel, until the test is over; or does something at each step. */
function listen<Message>(name: string, at: Partial<Record<Step, (message: Message) => void>> = {}): Heard<Message>[] {
  const heard: Heard<Message>[] = [];
  for (const step of STEPS) {
    const { [step]: channel } = tracingChannel(name);
    const listener = (message: unknown): void => {
      heard.push([step, message as Message]);
      at[step]?.(message as Message);
    };
    channel.subscribe(listener);
    onTestFinished(() => void channel.unsubscribe(listener));
  }
  return heard;
}

const steps = <Message>(heard: readonly Heard<Message>[]): readonly Step[] => heard.map(([step]) => step);

describe('the channel wrkr.publish', () => {
  it('tells of a publish: when it is called, and with its receipt when it is stored', async () => {
    const { wrkr } = setup({ name: 'shop' });
    await wrkr.start();
    const heard = listen<PublishMessage>('wrkr.publish');
    const publishing = wrkr.publish({ name: 'a', tid: 't', payload: { n: 1 } });
    expect(steps(heard)).toEqual(['start', 'end']);
    const receipt = await publishing;
    expect(steps(heard)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    const [, message] = heard[0] as Heard<PublishMessage>;
    expect(message).toEqual({ bus: 'shop', events: [{ name: 'a', tid: 't', payload: { n: 1 }, headers: {} }], result: receipt });
    expect(heard.every(([, one]) => one === message)).toBe(true);
  });

  it('tells of several as one', async () => {
    const { wrkr } = setup();
    await wrkr.start();
    const heard = listen<PublishMessage>('wrkr.publish');
    const receipts = await wrkr.publish([{ name: 'a' }, { name: 'b' }]);
    expect(steps(heard)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(heard[0]?.[1]).toMatchObject({ events: [{ name: 'a' }, { name: 'b' }], result: receipts });
  });

  it('tells of what was refused at once, and of what could not be stored', async () => {
    const { wrkr, backend } = setup({ publishTimeout: 1 });
    await wrkr.start();
    const heard = listen<PublishMessage>('wrkr.publish');
    expect((await refusal(wrkr.publish({ name: 'a b' }))).code).toBe('WRKR_INVALID_NAME');
    expect(steps(heard.splice(0))).toEqual(['start', 'error', 'end']);
    backend.cut();
    const error = await refusal(wrkr.publish({ name: 'a' }));
    expect(steps(heard)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(heard[0]?.[1].error).toMatchObject(error);
    backend.restore();
  });

  it('tells of a follow-up, whose event it is, and if it is refused', async () => {
    const { wrkr, clock } = setup();
    await wrkr.subscribe('team', 'a', async (_, __, { followUp }) => {
      await followUp({ name: 'b', when: '1 hour' });
      await followUp({ name: 'b b' }).catch(() => {});
    });
    await wrkr.start();
    const heard = listen<PublishMessage>('wrkr.publish');
    await wrkr.publish({ name: 'a', id: 'first' });
    await clock.settle();
    const ofFollowUps = heard.filter(([, { parent }]) => parent);
    expect(steps(ofFollowUps)).toEqual(['start', 'end', 'start', 'error', 'end']);
    expect(ofFollowUps[0]?.[1]).toMatchObject({ events: [{ name: 'b' }], parent: { id: 'first', queue: 'team' } });
  });

  it('lets headers be added at start: they arrive, and the caller’s event is not changed', async () => {
    const { wrkr, clock } = setup();
    const seen: unknown[] = [];
    const handler = async ({ name, headers }: { name: string; headers: object }, _: unknown, { followUp }: HandlerContext) => {
      seen.push([name, headers]);
      if (name === 'a') await followUp({ name: 'b' });
    };
    await wrkr.subscribe('team', '#', handler);
    await wrkr.start();
    let count = 0;
    listen<PublishMessage>('wrkr.publish', {
      start: ({ events }) => {
        for (const { headers } of events) headers.trace = String(++count);
      },
    });
    const event = Object.freeze({ name: 'a', headers: Object.freeze({ mine: 'x' }) });
    await wrkr.publish(event);
    await clock.settle();
    await wrkr.publish([{ name: 'c' }, { name: 'c' }]);
    await clock.settle();
    expect(seen).toEqual([
      ['a', { mine: 'x', trace: '1' }],
      ['b', { trace: '2' }],
      ['c', { trace: '3' }],
      ['c', { trace: '4' }],
    ]);
  });

  it.each<[unknown, string]>([
    [null, 'WRKR_INVALID_EVENT'],
    ['user.added', 'WRKR_INVALID_EVENT'],
    [{ name: 'a', headers: 'text' }, 'WRKR_INVALID_EVENT'],
    [{ name: 'a', headers: ['x'] }, 'WRKR_INVALID_EVENT'],
    [{ name: 'a', headers: null }, 'WRKR_INVALID_EVENT'],
    [{ name: 'a', headers: { 'wrkr-when': '5' } }, 'WRKR_INVALID_EVENT'],
    [{ name: 'a', colour: 'red' }, 'WRKR_INVALID_EVENT'],
  ])('does not change what is refused: %o', async (event, code) => {
    const { wrkr } = setup();
    await wrkr.start();
    const without = await refusal(wrkr.publish(event as never));
    listen('wrkr.publish');
    expect(without.code).toBe(code);
    expect(await refusal(wrkr.publish(event as never))).toEqual(without);
    expect((await refusal(wrkr.publish([event] as never))).code).toBe(code);
  });
});

describe('the channel wrkr.process', () => {
  it('tells of each run of a handler, and with its error of one that failed', async () => {
    const { wrkr, clock } = setup({ name: 'shop', retry: { backoff: () => 1000 } });
    await wrkr.subscribe('team', 'a', async ({ attempt }) => {
      if (attempt === 1) throw new Error('x');
    });
    await wrkr.start();
    const heard = listen<ProcessMessage>('wrkr.process');
    await wrkr.publish({ name: 'a', id: 'e' });
    await clock.settle();
    expect(steps(heard)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(heard[0]?.[1]).toMatchObject({ bus: 'shop', event: { id: 'e', queue: 'team', attempt: 1 }, error: new Error('x') });
    heard.length = 0;
    await clock.advance('1 minute');
    expect(steps(heard)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(heard[0]?.[1].event.attempt).toBe(2);
    expect(heard[0]?.[1]).not.toHaveProperty('error');
  });

  it('has a handler that throws at once fail like any other', async () => {
    const { wrkr, clock } = setup({ retry: { attempts: 1 } });
    await wrkr.subscribe('team', 'a', () => {
      throw new Error('at once');
    });
    await wrkr.start();
    const heard = listen<ProcessMessage>('wrkr.process');
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(steps(heard)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect((await wrkr.deadLetters()).items).toMatchObject([{ attempts: 1, error: { message: 'at once' } }]);
  });

  it('does not settle for the handler: acks early, by hand and twice are what they are without it', async () => {
    const { wrkr, clock } = setup();
    const acks: boolean[] = [];
    await wrkr.subscribe('early', 'a', (_, ack) => void acks.push(ack(), ack()));
    await wrkr.subscribe('manual', 'a', () => {}, { ack: 'manual' });
    await wrkr.start();
    listen('wrkr.process');
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(acks).toEqual([true, false]);
    expect((await wrkr.stats('manual')).held).toBe(1);
  });

  it('does not hide from stop() that it was called inside a handler', async () => {
    const { wrkr, clock } = setup({ middleware: { handle: [logging()] }, catalogue: { a: z.any() } });
    listen('wrkr.process');
    const order: string[] = [];
    await wrkr.subscribe('team', 'a', async () => {
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      await wrkr.stop();
      order.push(wrkr.state);
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect([order, wrkr.state]).toEqual([['stopping'], 'closed']);
  });
});

describe('both', () => {
  it('carry a trace from who publishes to who handles, with AsyncLocalStorage', async () => {
    const trace = new AsyncLocalStorage<string>();
    const added = (message: unknown): void => {
      for (const { headers } of (message as PublishMessage).events) headers['x-trace'] = trace.getStore() ?? 'new';
    };
    const publishing = tracingChannel('wrkr.publish');
    const processing = tracingChannel('wrkr.process');
    publishing.start.subscribe(added);
    processing.start.bindStore(trace, (message) => (message as unknown as ProcessMessage).event.headers['x-trace'] ?? 'none');
    onTestFinished(() => {
      publishing.start.unsubscribe(added);
      processing.start.unbindStore(trace);
    });
    const { wrkr, clock } = setup();
    const seen: unknown[] = [];
    await wrkr.subscribe('team', '#', async ({ name }, _, { followUp }) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push([name, trace.getStore()]);
      if (name === 'a') await followUp({ name: 'b' });
      if (name === 'b') await wrkr.publish({ name: 'c' });
    });
    await wrkr.start();
    await trace.run('request 7', () => wrkr.publish({ name: 'a' }));
    await wrkr.publish({ name: 'd' });
    await clock.settle();
    expect(seen.sort()).toEqual([
      ['a', 'request 7'],
      ['b', 'request 7'],
      ['c', 'request 7'],
      ['d', 'new'],
    ]);
  });

  it('survive a subscriber that throws: the event is published and handled, and Node tells of the error', async () => {
    const program = `
      import { subscribe } from 'node:diagnostics_channel';
      import { MemoryBackend } from '@wrkr/memory';
      import { Wrkr } from 'wrkr';
      process.on('uncaughtException', (error) => console.log('uncaught: ' + error.message));
      for (const name of ['publish', 'process'])
        subscribe('tracing:wrkr.' + name + ':start', () => { throw new Error('bad subscriber of ' + name); });
      const wrkr = new Wrkr({ backend: new MemoryBackend() });
      const handled = new Promise((resolve) => wrkr.subscribe('team', 'a', ({ id }) => resolve(id)));
      await wrkr.start();
      const { id } = await wrkr.publish({ name: 'a' });
      console.log((await handled) === id ? 'handled' : 'lost');
      await wrkr.stop();
    `;
    const cwd = fileURLToPath(new URL('../../..', import.meta.url));

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { cwd });
    expect(stdout.trim().split('\n').sort()).toEqual([
      'handled',
      'uncaught: bad subscriber of process',
      'uncaught: bad subscriber of publish',
    ]);
  });
});
