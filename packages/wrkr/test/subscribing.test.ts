import { Broker, MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import type { Handler } from 'wrkr';
import { gate, refusal, setup } from './setup.ts';

describe('the handler that runs', () => {
  it.each<[string, string[], string, string]>([
    ['exact before *', ['user.*', 'user.added'], 'user.added', 'user.added'],
    ['* before #', ['user.#', 'user.*'], 'user.added', 'user.*'],
    ['exact before #', ['#', 'user.added'], 'user.added', 'user.added'],
    ['of two with *, the first registered', ['*.added', 'user.*'], 'user.added', '*.added'],
    ['of two with #, the first registered', ['user.#', '#'], 'user.added', 'user.#'],
    ['# where nothing else fits', ['user.added', '#'], 'order.paid', '#'],
  ])('is one: %s', async (_, patterns, name, expected) => {
    const { wrkr, clock } = setup();
    const ran: string[] = [];
    for (const pattern of patterns) await wrkr.subscribe('team', pattern, () => ran.push(pattern));
    await wrkr.start();
    await wrkr.publish({ name });
    await clock.settle();
    expect(ran).toEqual([expected]);
  });
});

describe('concurrency', () => {
  it('is reached and not exceeded', async () => {
    const { wrkr, clock } = setup();
    let running = 0;
    const seen: number[] = [];
    const gates = Array.from({ length: 20 }, () => gate());
    const handler: Handler = async (event) => {
      seen.push(++running);
      await gates[Number(event.tid)]?.opened;
      running--;
    };
    await wrkr.subscribe('team', 'a', handler, { concurrency: 4 });
    await wrkr.start();
    await wrkr.publish(gates.map((_, i) => ({ name: 'a', tid: String(i) })));
    for (const { open } of gates) {
      await clock.settle();
      open();
    }
    await clock.settle();
    expect(seen).toHaveLength(20);
    expect(Math.max(...seen)).toBe(4);
    expect(seen.slice(3).every((count) => count === 4)).toBe(true);
  });

  it('is 10 by default, for the whole queue, and a difference is refused', async () => {
    const { wrkr, clock } = setup();
    let running = 0;
    const hang: Handler = () => {
      running++;
      return new Promise(() => {});
    };
    await wrkr.subscribe('team', 'a', hang);
    await wrkr.subscribe('team', 'b', hang);
    await wrkr.subscribe('three', 'c', hang, { concurrency: 3 });
    await wrkr.subscribe('three', 'd', hang);
    expect(await refusal(wrkr.subscribe('three', 'e', hang, { concurrency: 5 }))).toMatchObject({ code: 'WRKR_INVALID_OPTION' });
    await wrkr.start();
    await wrkr.publish(Array.from({ length: 30 }, (_, i) => ({ name: i % 2 ? 'a' : 'b' })));
    await clock.settle();
    expect(running).toBe(10);
    await wrkr.publish(Array.from({ length: 10 }, (_, i) => ({ name: i % 2 ? 'c' : 'd' })));
    await clock.settle();
    expect(running).toBe(13);
  });
});

describe('a subscription', () => {
  it('made after start() is bound when it resolves', async () => {
    const { wrkr, clock } = setup();
    await wrkr.start();
    const seen: string[] = [];
    await wrkr.subscribe('team', 'a', (event) => seen.push(event.name));
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(seen).toEqual(['a']);
  });

  it('of several handlers in one tick begins with all of them', async () => {
    const broker = new Broker();
    const { wrkr, clock } = setup({ backend: new MemoryBackend({ broker }) });
    await wrkr.subscribe('team', 'a', () => {});
    await wrkr.subscribe('team', 'b', () => {});
    await wrkr.start();
    const next = setup({ clock, backend: new MemoryBackend({ broker }) });
    await next.wrkr.start();
    await wrkr.stop();
    await next.wrkr.publish([{ name: 'a' }, { name: 'b' }]);
    const seen: string[] = [];
    void next.wrkr.subscribe('team', 'a', (event) => seen.push(event.name));
    void next.wrkr.subscribe('team', 'b', (event) => seen.push(event.name));
    await clock.settle();
    expect(seen.sort()).toEqual(['a', 'b']);
  });

  it('twice for one pattern in one process is refused', async () => {
    const { wrkr } = setup();
    await wrkr.subscribe('team', 'a', () => {});
    expect(await refusal(wrkr.subscribe('team', 'a', () => {}))).toMatchObject({ code: 'WRKR_INVALID_CALL' });
    await wrkr.start();
    expect(await refusal(wrkr.subscribe('team', 'a', () => {}))).toMatchObject({ code: 'WRKR_INVALID_CALL' });
  });

  it('that is disposed ends this handler only: the queue goes on collecting', async () => {
    const { wrkr, clock } = setup();
    const seen: string[] = [];
    const subscription = await wrkr.subscribe('team', 'a', (event) => seen.push(event.name));
    expect(subscription).toMatchObject({ queue: 'team', pattern: 'a' });
    await wrkr.start();
    await subscription.dispose();
    await subscription.dispose();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect([seen, await wrkr.stats('team')]).toEqual([[], { ready: 1, delayed: 0, held: 0, dead: 0 }]);
    await wrkr.subscribe('team', 'a', (event) => seen.push(`${event.name} again`));
    await clock.settle();
    expect(seen).toEqual(['a again']);
  });

  it('that is disposed lets its running handler finish', async () => {
    const { wrkr, clock } = setup();
    const running = gate();
    const subscription = await wrkr.subscribe('team', 'a', () => running.opened);
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    await subscription[Symbol.asyncDispose]();
    running.open();
    await clock.settle();
    expect(await wrkr.stats('team')).toEqual({ ready: 0, delayed: 0, held: 0, dead: 0 });
  });

  it('can be listed, with those of others', async () => {
    const broker = new Broker();
    const { wrkr, clock } = setup({ backend: new MemoryBackend({ broker }) });
    const other = setup({ clock, backend: new MemoryBackend({ broker }) });
    await wrkr.subscribe('mail', 'user.*', () => {});
    await other.wrkr.subscribe('audit', '#', () => {});
    await wrkr.start();
    await other.wrkr.start();
    expect(await wrkr.subscriptions()).toEqual([
      { queue: 'mail', pattern: 'user.*' },
      { queue: 'audit', pattern: '#' },
    ]);
  });
});

describe('unsubscribe', () => {
  it('stops new copies for everyone, and those in the queue are still handled', async () => {
    const { wrkr, clock } = setup();
    const running = gate();
    const seen: unknown[] = [];
    await wrkr.subscribe(
      'team',
      'a',
      async (event) => {
        seen.push(event.tid);
        await running.opened;
      },
      { concurrency: 1 },
    );
    await wrkr.start();
    await wrkr.publish([
      { name: 'a', tid: '1' },
      { name: 'a', tid: '2' },
    ]);
    await wrkr.unsubscribe('team', 'a');
    await wrkr.publish({ name: 'a', tid: '3' });
    running.open();
    await clock.settle();
    expect(seen).toEqual(['1', '2']);
    expect(await wrkr.subscriptions()).toEqual([]);
  });

  it('lets the same pattern be subscribed again, with another handler', async () => {
    const { wrkr, clock } = setup();
    const seen: string[] = [];
    await wrkr.subscribe('team', 'a', () => seen.push('old'));
    await wrkr.start();
    await wrkr.unsubscribe('team', 'a');
    await wrkr.subscribe('team', 'a', () => seen.push('new'));
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(seen).toEqual(['new']);
  });
});

describe('an event without a handler', () => {
  it('is offered again ever later, costs no attempt, and is a dead letter after unhandledFor', async () => {
    const { wrkr, clock } = setup({ unhandledFor: '1 hour' });
    await wrkr.subscribe('team', 'a', () => {});
    const subscription = await wrkr.subscribe('team', 'b', () => {});
    await wrkr.start();
    await subscription.dispose();
    await wrkr.publish({ name: 'b' });
    await clock.advance('59 minutes');
    expect(await wrkr.stats('team')).toMatchObject({ delayed: 1, dead: 0 });
    await clock.advance('2 minutes');
    const { items } = await wrkr.deadLetters({ queue: 'team' });
    expect(items).toMatchObject([{ name: 'b', attempts: 0, error: { code: 'WRKR_NO_HANDLER' } }]);
    const again: number[] = [];
    await wrkr.subscribe('team', 'b', (event) => again.push(event.attempt));
    await wrkr.redrive({ queue: 'team' });
    await clock.settle();
    expect(again).toEqual([1]);
  });
});

it('what a handler that disposes its subscription leaves is given back at once, not as an event without a handler', async () => {
  const { wrkr, clock } = setup();
  const handled: unknown[] = [];
  const subscription = await wrkr.subscribe(
    'team',
    'a',
    ({ tid }) => {
      handled.push(tid);
      void subscription.dispose();
    },
    { concurrency: 1 },
  );
  await wrkr.start();
  await wrkr.publish([
    { name: 'a', tid: '1' },
    { name: 'a', tid: '2' },
  ]);
  await clock.settle();
  expect(await wrkr.stats('team')).toMatchObject({ ready: 1, delayed: 0 });
  expect(handled).toEqual(['1']);
});
