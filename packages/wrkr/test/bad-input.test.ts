import { MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import { Wrkr } from 'wrkr';
import { refusal, setup } from './setup.ts';

/** What a misuse is refused with: the code, and a piece of the message. */
type Misuse = readonly [what: string, input: unknown, code: string, message: string];

describe('new Wrkr', () => {
  const backend = new MemoryBackend();
  it.each<Misuse>([
    ['nothing', undefined, 'WRKR_INVALID_OPTION', 'must be an object'],
    ['no backend', {}, 'WRKR_INVALID_OPTION', 'new MemoryBackend()'],
    ['a backend that is none', { backend: 'memory:' }, 'WRKR_INVALID_OPTION', 'backend must be a backend'],
    [
      'a misspelled option',
      { backend, publishTimout: 5 },
      'WRKR_INVALID_OPTION',
      "no 'publishTimout': it can have backend, scheduler",
    ],
    ['a lease of 0', { backend, lease: 0 }, 'WRKR_INVALID_OPTION', 'lease must be longer than 0'],
    ['a lease that cannot be read', { backend, lease: '10 min' }, 'WRKR_INVALID_OPTION', 'lease is no span of time'],
    ['a relay that is no boolean', { backend, relay: 'no' }, 'WRKR_INVALID_OPTION', 'relay must be true or false'],
    ['a misspelled retry', { backend, retry: { attempt: 3 } }, 'WRKR_INVALID_OPTION', "retry has no 'attempt'"],
    ['no attempts', { backend, retry: { attempts: 0 } }, 'WRKR_INVALID_OPTION', 'a whole number from 1'],
    ['a backoff that is no function', { backend, retry: { backoff: 1000 } }, 'WRKR_INVALID_OPTION', 'backoff must be a function'],
    ['a logger that is none', { backend, logger: 'console' }, 'WRKR_INVALID_OPTION', 'logger must be an object'],
    ['a clock that is none', { backend, clock: Date }, 'WRKR_INVALID_OPTION', 'clock must be a clock'],
    ['a name that is none', { backend, name: 5 }, 'WRKR_INVALID_OPTION', 'name must be a string'],
  ])('with %s is refused', (_, options, code, message) => {
    expect(() => new Wrkr(options as never)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('publish', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each<Misuse>([
    ['nothing', undefined, 'WRKR_INVALID_EVENT', 'an object with a name'],
    ['a string', 'user.added', 'WRKR_INVALID_EVENT', 'an object with a name'],
    ['no name', { tid: 'x' }, 'WRKR_INVALID_NAME', 'event name undefined must be a string'],
    ['an empty name', { name: '' }, 'WRKR_INVALID_NAME', 'must not be empty'],
    ['too long a name', { name: 'x'.repeat(201) }, 'WRKR_INVALID_NAME', 'longer than 200 bytes'],
    ['a name with a control character', { name: 'a\u0007b' }, 'WRKR_INVALID_NAME', 'control character'],
    ['a name of our own', { name: '$relay' }, 'WRKR_INVALID_NAME', "begins with '$'"],
    ['a wildcard', { name: 'user.*' }, 'WRKR_INVALID_NAME', 'wildcard'],
    ['a number for a tid', { name: 'a', tid: 5 }, 'WRKR_INVALID_NAME', 'String('],
    ['an empty id', { name: 'a', id: '' }, 'WRKR_INVALID_NAME', 'must not be empty'],
    ['a misspelled field', { name: 'a', wehn: '7 days' }, 'WRKR_INVALID_EVENT', "an event has no 'wehn'"],
    ['an ambiguous when', { name: 'a', when: 'in 5 minutes' }, 'WRKR_INVALID_WHEN', "'in 5 minutes'"],
    ['a when that is NaN', { name: 'a', when: Number.NaN }, 'WRKR_INVALID_WHEN', 'NaN'],
    ['a when that is infinite', { name: 'a', when: Number.POSITIVE_INFINITY }, 'WRKR_INVALID_WHEN', 'Infinity'],
    ['an invalid Date', { name: 'a', when: new Date('x') }, 'WRKR_INVALID_WHEN', 'this Date is invalid'],
    ['a time without an offset', { name: 'a', when: '2030-01-31T09:00:00' }, 'WRKR_INVALID_WHEN', 'with offset'],
    ['NaN in the payload', { name: 'a', payload: { x: Number.NaN } }, 'WRKR_INVALID_PAYLOAD', 'payload.x is NaN'],
    ['a cycle', { name: 'a', payload: cycle }, 'WRKR_INVALID_PAYLOAD', 'contains itself'],
    ['a function', { name: 'a', payload: () => {} }, 'WRKR_INVALID_PAYLOAD', 'function'],
    ['headers that are none', { name: 'a', headers: 'x' }, 'WRKR_INVALID_EVENT', 'headers must be a plain object'],
    ['a header that is no string', { name: 'a', headers: { n: 5 } }, 'WRKR_INVALID_EVENT', "headers 'n' must be a string"],
    ['a header of our own', { name: 'a', headers: { 'Wrkr-Attempt': '5' } }, 'WRKR_INVALID_EVENT', "kept for Wrkr's own"],
    ['a header with an odd key', { name: 'a', headers: { 'a b': 'x' } }, 'WRKR_INVALID_EVENT', 'have a key'],
    ['headers without end', { name: 'a', headers: { long: 'x'.repeat(70_000) } }, 'WRKR_TOO_LARGE', 'this backend takes 32768'],
  ])('of %s is refused, and nothing is sent', async (_, event, code, message) => {
    const { wrkr, clock } = setup();
    const seen: string[] = [];
    await wrkr.subscribe('team', '#', ({ name }) => seen.push(name));
    await wrkr.start();
    expect(await refusal(wrkr.publish(event as never))).toMatchObject({ code, message: expect.stringContaining(message) });
    await wrkr.publish({ name: 'fence' });
    await clock.settle();
    expect([seen, (await wrkr.find()).items]).toEqual([['fence'], []]);
  });
});

describe('subscribe', () => {
  it.each<[string, readonly unknown[], string, string]>([
    ['no queue', [undefined, 'a', () => {}], 'WRKR_INVALID_NAME', 'queue name undefined'],
    ['a queue that ends in .dead', ['team.dead', 'a', () => {}], 'WRKR_INVALID_NAME', "'.dead'"],
    ['a queue of our own', ['$relay', 'a', () => {}], 'WRKR_INVALID_NAME', "begins with '$'"],
    ['a wildcard inside a word', ['team', 'user*', () => {}], 'WRKR_INVALID_NAME', 'whole words'],
    ['no handler', ['team', 'a'], 'WRKR_INVALID_CALL', 'must be a function'],
    ['a handler that is no function', ['team', 'a', {}], 'WRKR_INVALID_CALL', 'must be a function'],
    ['a misspelled option', ['team', 'a', () => {}, { concurency: 5 }], 'WRKR_INVALID_OPTION', 'it can have concurrency, retry'],
    ['no concurrency', ['team', 'a', () => {}, { concurrency: 0 }], 'WRKR_INVALID_OPTION', 'concurrency must be'],
    ['half a handler', ['team', 'a', () => {}, { concurrency: 1.5 }], 'WRKR_INVALID_OPTION', 'concurrency must be'],
    ['an ack mode that is none', ['team', 'a', () => {}, { ack: 'maybe' }], 'WRKR_INVALID_OPTION', "'auto' or 'manual'"],
    ['a timeout that cannot be read', ['team', 'a', () => {}, { timeout: 'soon' }], 'WRKR_INVALID_OPTION', 'timeout is no span'],
    ['options that are none', ['team', 'a', () => {}, 5], 'WRKR_INVALID_OPTION', 'must be an object'],
  ])('with %s is refused, and changes nothing', async (_, args, code, message) => {
    const { wrkr } = setup();
    await wrkr.start();
    expect(await refusal(wrkr.subscribe(...(args as [string, string, () => void])))).toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(await wrkr.subscriptions()).toEqual([]);
    await wrkr.subscribe('team', 'a', () => {});
  });
});

describe('other calls', () => {
  it('are refused with names and options that make no sense', async () => {
    const { wrkr } = setup();
    await wrkr.start();
    expect((await refusal(wrkr.stats('team.dead'))).code).toBe('WRKR_INVALID_NAME');
    expect((await refusal(wrkr.unsubscribe('team', 'us*r'))).code).toBe('WRKR_INVALID_NAME');
    expect((await refusal(wrkr.stop({ timeout: 'soon' }))).code).toBe('WRKR_INVALID_OPTION');
    expect((await refusal(wrkr.stop({ timout: 5 } as never))).code).toBe('WRKR_INVALID_OPTION');
    expect(wrkr.state).toBe('up');
    expect(() => wrkr.on('error', 'x' as never)).toThrow(expect.objectContaining({ code: 'WRKR_INVALID_CALL' }));
  });
});
