import { Broker, MemoryBackend } from '@wrkr/memory';
import { recorder, VirtualClock } from '@wrkr/testing';
import { describe, expect, it } from 'vitest';
import { stamp, Wrkr } from 'wrkr';
import { refusal, setup } from './setup.ts';

const backend = new MemoryBackend();
const coded = (code: string, message: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

describe('a backend, a logger or a clock that is half of one', () => {
  it.each([
    [{ backend: { open() {} } }, 'backend must be a backend'],
    [{ backend, scheduler: {} }, 'scheduler must be a backend'],
    [{ backend, logger: { warn: 'x' } }, 'logger.warn must be a function'],
    [{ backend, clock: { after() {} } }, 'clock must be a clock'],
    [{ backend, lease: '60 ms' }, "'60 ms' is unclear"],
    [{ backend, retrys: {} }, "Did you mean 'retry'?"],
    [{ backend, middleware: { handle: 'log' } }, 'middleware.handle must be an array of functions'],
    [{ backend, catalogue: null }, 'catalogue must be an object'],
    [{ backend, catalogue: { 'user.added': {} } }, "'user.added' must be a Standard Schema"],
  ])('is refused, case %#', (options, message) => {
    expect(() => new Wrkr(options as never)).toThrow(coded('WRKR_INVALID_OPTION', message) as Error);
  });
});

it('stamp refuses headers that no event may have', () => {
  for (const headers of [5, { 'wrkr-x': '1' }])
    expect(() => stamp(headers as never)).toThrow(coded('WRKR_INVALID_EVENT', 'headers') as Error);
});

describe('on', () => {
  it.each([
    ['eror', "Did you mean 'error'?"],
    [undefined, 'there is no undefined to listen to'],
    [Symbol('x'), 'there is no Symbol(x)'],
  ])('refuses what it does not tell: %s', (name, message) => {
    expect(() => new Wrkr({ backend }).on(name as never, () => {})).toThrow(coded('WRKR_INVALID_CALL', message) as Error);
  });

  it('refuses a listener that is none', () => {
    expect(() => new Wrkr({ backend }).on('error', 5 as never)).toThrow(coded('WRKR_INVALID_CALL', 'a function') as Error);
  });
});

describe('publish', () => {
  class Plain {
    x = 1;
  }
  Object.setPrototypeOf(Plain.prototype, null);
  const changed = Object.defineProperty({ secret: 1 }, 'toJSON', { value: () => 'CHANGED' });
  const list = (key: PropertyKey, property: PropertyDescriptor): unknown => Object.defineProperty([1], key, property);
  const holed = [{ name: 'a' }, { name: 'a' }, { name: 'b' }];
  delete holed[1];
  const proxy = new Proxy({}, { ownKeys: () => expect.fail('looked at') });

  it.each([
    ['a hole among several', holed, 'WRKR_INVALID_EVENT', 'events[1]: an event is an object'],
    ['nothing but a hole', new Array(1), 'WRKR_INVALID_EVENT', 'events[0]'],
    ['a bad one among several', [{ name: 'a' }, { name: '' }], 'WRKR_INVALID_NAME', 'events[1]: event name'],
    ['a Map for headers', { name: 'a', headers: new Map([['a', 'b']]) }, 'WRKR_INVALID_EVENT', 'not a Map'],
    ['a toJSON that is not to be seen', { name: 'a', payload: changed }, 'WRKR_INVALID_PAYLOAD', 'payload.toJSON is a function'],
    ['one on an array', { name: 'a', payload: list('toJSON', { value: () => 1 }) }, 'WRKR_INVALID_PAYLOAD', 'of its own'],
    ['a symbol on an array', { name: 'a', payload: list(Symbol('x'), { value: 1 }) }, 'WRKR_INVALID_PAYLOAD', 'of its own'],
    [
      'an accessor in an array',
      { name: 'a', payload: list(0, { get: () => 1 }) },
      'WRKR_INVALID_PAYLOAD',
      'payload[0] is an accessor',
    ],
    ['a class over nothing', { name: 'a', payload: new Plain() }, 'WRKR_INVALID_PAYLOAD', 'an instance of'],
    [
      'an array without a prototype',
      { name: 'a', payload: Object.setPrototypeOf([1], null) },
      'WRKR_INVALID_PAYLOAD',
      'an instance',
    ],
    ['a proxy that throws', { name: 'a', payload: proxy }, 'WRKR_INVALID_PAYLOAD', 'cannot be read: looked at'],
    ['a name with a character that cannot be seen', { name: 'a\u200bb' }, 'WRKR_INVALID_NAME', 'cannot be seen'],
    ['a list for when', { name: 'a', when: [] }, 'WRKR_INVALID_WHEN', 'when: an array must be'],
  ])('refuses %s, and sends nothing', async (_, event, code, message) => {
    const { wrkr, clock } = setup();
    const seen: string[] = [];
    await wrkr.subscribe('team', '#', ({ name }) => seen.push(name));
    await wrkr.start();
    expect(await refusal(wrkr.publish(event as never))).toMatchObject({ code, message: expect.stringContaining(message) });
    await wrkr.publish({ name: 'fence' });
    await clock.settle();
    expect(seen).toEqual(['fence']);
  });

  it('refuses an option that it does not have', async () => {
    const { wrkr } = setup();
    await wrkr.start();
    expect((await refusal(wrkr.publish({ name: 'a' }, { sesion: 1 } as never))).message).toContain("Did you mean 'session'?");
  });
});

describe('a filter', () => {
  it.each([
    [{ queue: '$relay' }, 'WRKR_INVALID_NAME'],
    [{ queue: 'team.dead' }, 'WRKR_INVALID_NAME'],
    [{ name: 'user.*' }, 'WRKR_INVALID_NAME'],
    [{ name: 'a b' }, 'WRKR_INVALID_NAME'],
    [{ id: 'x', stored: 'no' }, 'WRKR_INVALID_FILTER'],
    [[], 'WRKR_INVALID_FILTER'],
    [new Date(), 'WRKR_INVALID_FILTER'],
    [null, 'WRKR_INVALID_FILTER'],
  ])('%o is refused by all that find, and takes nothing', async (filter, code) => {
    const { wrkr } = setup();
    await wrkr.subscribe('team', 'a', () => {});
    await wrkr.start();
    await wrkr.publish({ name: 'a', when: '1 day' });
    const calls = [wrkr.cancel(filter as never), wrkr.find(filter as never), wrkr.reschedule(filter as never, 5)];
    for (const call of calls) expect((await refusal(call)).code).toBe(code);
    expect((await wrkr.find()).items).toHaveLength(1);
  });

  it('has an `after` that was never given', async () => {
    const { wrkr } = setup();
    await wrkr.start();
    for (const call of [wrkr.find({ after: 'garbage' }), wrkr.deadLetters({ queue: 'team', after: 'team.dead\ngarbage' })])
      expect(await refusal(call)).toMatchObject({ code: 'WRKR_INVALID_FILTER', message: expect.stringContaining("'after'") });
  });
});

describe('the packages beside it', () => {
  it.each([
    ['a misspelled option', () => new MemoryBackend({ brokr: new Broker() } as never), "no 'brokr'"],
    ['a broker that is none', () => new MemoryBackend({ broker: {} as never }), 'must be a Broker'],
    ['a misspelled capability', () => new MemoryBackend({ capabilities: { cancle: false } as never }), "no 'cancle'"],
    ['no options', () => new MemoryBackend(null as never), 'takes an object'],
    ['a misspelled start', () => new VirtualClock({ strat: 1 } as never), "no 'strat'"],
    ['a start that is no time', () => new VirtualClock({ start: 'x' as never }), 'start must be'],
    ['a patience that is none', () => new VirtualClock({ patience: 'x' as never }), 'patience must be'],
    ['no clock options', () => new VirtualClock(null as never), 'takes an object'],
    ['no bus to record', () => recorder(undefined as never), 'takes a Wrkr'],
  ])('refuse %s with a TypeError', (_, call, message) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });
});
