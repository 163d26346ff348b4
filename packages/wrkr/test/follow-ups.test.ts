import { Broker, MemoryBackend } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import { describe, expect, it } from 'vitest';
import type { Handler, HandlerContext } from 'wrkr';
import { backendError } from 'wrkr/backend';
import { refusal, setup } from './setup.ts';

describe('a follow-up', () => {
  it('is stored when its handler acks, and knows where it comes from', async () => {
    const { wrkr, clock } = setup();
    const seen: unknown[] = [];
    await wrkr.subscribe('a', 'first', async (_, __, { followUp }) => {
      const receipt = await followUp({ name: 'second', tid: 't', when: '1 hour' });
      seen.push(receipt.when.getTime() - clock.now(), (await wrkr.find()).items.length);
    });
    await wrkr.subscribe('b', 'second', (_, __, { followUp }) => void followUp({ name: 'third' }));
    await wrkr.subscribe('c', 'third', (event) => seen.push([event.parentId, event.correlationId]));
    await wrkr.start();
    const { id } = await wrkr.publish({ name: 'first' });
    await clock.settle();
    expect(seen).toEqual([3_600_000, 0]);
    const [second] = (await wrkr.find()).items;
    expect(second).toMatchObject({ name: 'second', parentId: id, correlationId: id });
    await clock.advance('1 hour');
    expect(seen[2]).toEqual([second?.id, id]);
  });

  it('can be cancelled by its receipt', async () => {
    const { wrkr, clock } = setup();
    const seen: string[] = [];
    let cancel: (() => Promise<unknown>) | undefined;
    await wrkr.subscribe('a', 'first', async (_, __, { followUp }) => {
      const receipt = await followUp({ name: 'second', when: '7 days' });
      cancel = () => wrkr.cancel(receipt);
    });
    await wrkr.subscribe('b', 'second', (event) => seen.push(event.name));
    await wrkr.start();
    await wrkr.publish({ name: 'first' });
    await clock.advance('1 day');
    expect(await cancel?.()).toBe(1);
    await clock.advance('7 days');
    expect(seen).toEqual([]);
  });

  it.each<[string, (ack: { retry(): boolean; later(when: string): boolean; dead(): boolean }) => unknown]>([
    [
      'fails',
      () => {
        throw new Error('x');
      },
    ],
    ['asks for a retry', (ack) => ack.retry()],
    ['postpones', (ack) => ack.later('1 year')],
    ['gives up', (ack) => ack.dead()],
  ])('is not stored if its handler %s', async (_, end) => {
    const { wrkr, clock } = setup();
    const seen: string[] = [];
    await wrkr.subscribe(
      'a',
      'first',
      async (_event, ack, { followUp }) => {
        await followUp({ name: 'second' });
        return end(ack);
      },
      { retry: { attempts: 1 } },
    );
    await wrkr.subscribe('b', 'second', (event) => seen.push(event.name));
    await wrkr.start();
    await wrkr.publish({ name: 'first' });
    await clock.advance('1 day');
    expect(seen).toEqual([]);
  });

  it('that is not awaited still counts', async () => {
    const { wrkr, clock } = setup();
    const seen: string[] = [];
    await wrkr.subscribe('a', 'first', (_, __, { followUp }) => {
      void followUp({ name: 'second' });
    });
    await wrkr.subscribe('b', 'second', (event) => seen.push(event.name));
    await wrkr.start();
    await wrkr.publish({ name: 'first' });
    await clock.settle();
    expect(seen).toEqual(['second']);
  });

  it('is refused once the event is settled, and if it is not good', async () => {
    const { wrkr, clock } = setup();
    const refused: string[] = [];
    await wrkr.subscribe('a', 'first', async (_, ack, { followUp }) => {
      refused.push(
        (await refusal(followUp({ name: 'not good' }))).code,
        (await refusal(followUp({ name: 'a', when: 'soon' }))).code,
      );
      ack();
      refused.push((await refusal(followUp({ name: 'second' }))).code);
    });
    await wrkr.start();
    await wrkr.publish({ name: 'first' });
    await clock.settle();
    expect(refused).toEqual(['WRKR_INVALID_NAME', 'WRKR_INVALID_WHEN', 'WRKR_INVALID_CALL']);
  });

  it('has the same id in each attempt, another for each queue, name, tid and turn', async () => {
    const { wrkr, clock } = setup();
    const ids: Record<string, string[]> = {};
    const handler =
      (word: string) =>
      async (event: { attempt: number }, _: unknown, { followUp }: HandlerContext) => {
        const events = [{ name: 'x' }, { name: 'x' }, { name: 'y' }, { name: 'x', tid: 't' }];
        for (const [i, one] of events.entries()) {
          ids[`${word}${i}`] ??= [];
          ids[`${word}${i}`]?.push((await followUp(one)).id);
        }
        if (event.attempt === 1) throw new Error('again');
      };
    for (const word of ['a', 'b']) await wrkr.subscribe(word, 'first', handler(word), { retry: { backoff: () => 1 } });
    await wrkr.start();
    await wrkr.publish({ name: 'first' });
    await clock.advance('1 second');
    for (const pair of Object.values(ids)) expect(pair[0]).toBe(pair[1]);
    expect(Object.keys(ids)).toHaveLength(8);
    expect(new Set(Object.values(ids).flat()).size).toBe(8);
  });

  it('is there once if the process dies between its storing and the ack', async () => {
    const broker = new Broker();
    class Dying extends MemoryBackend {
      override consume: MemoryBackend['consume'] = async (queue, sink, options) => {
        const consumer = await super.consume(queue, sink, options);
        consumer.settle = async () => {
          this.crash();
          return [];
        };
        return consumer;
      };
    }
    const { wrkr, clock } = setup({ backend: new Dying({ broker }) });
    const handler = async (_: unknown, __: unknown, { followUp }: HandlerContext): Promise<void> => {
      await followUp({ name: 'second', when: '1 hour' });
    };
    await wrkr.subscribe('a', 'first', handler);
    await wrkr.start();
    await wrkr.publish({ name: 'first' });
    await clock.settle();
    const next = setup({ clock, backend: new MemoryBackend({ broker }) });
    const seen: string[] = [];
    await next.wrkr.subscribe('a', 'first', handler);
    await next.wrkr.subscribe('b', 'second', (event) => seen.push(event.id));
    await next.wrkr.start();
    await clock.advance('2 hours');
    expect(seen).toHaveLength(1);
  });

  it.each([
    { code: 'unavailable' as const, attempts: [1, 1, 1], what: 'while the backend is away brings its event back at no cost' },
    { code: 'invalid' as const, attempts: [1, 2, 3], what: 'and never can be is a failed attempt of its handler' },
  ])('that cannot be stored, case %#: $what', async ({ code, attempts }) => {
    const runs: number[] = [];
    class Refusing extends MemoryBackend {
      override send: MemoryBackend['send'] = (batch) => {
        const refused = batch.some(({ name }) => name === 'second') && runs.length < 3;
        return refused ? Promise.reject(backendError(code, 'full')) : super.send(batch);
      };
    }
    const clock = new VirtualClock({ patience: 500 }); // real time passes between two attempts to store it
    const { wrkr } = setup({ backend: new Refusing(), publishTimeout: 1, clock });
    const errors: string[] = [];
    wrkr.on('error', (error) => errors.push(`${error.code} ${error.message}`));
    const handler: Handler = async (event, _, { followUp }) => {
      runs.push(event.attempt);
      await followUp({ name: 'second' });
    };
    await wrkr.subscribe('a', 'first', handler, { retry: { attempts: 3, backoff: () => 1000 } });
    const seen: string[] = [];
    await wrkr.subscribe('b', 'second', (event) => seen.push(event.name));
    await wrkr.start();
    await wrkr.publish({ name: 'first' });
    await clock.advance('1 minute');
    expect([runs, seen]).toEqual([attempts, ['second']]);
    expect(errors).toHaveLength(2);
    expect(errors[0]).toContain('full');
  });
});
