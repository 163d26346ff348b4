import { describe, expect, it } from 'vitest';
import { refusal, setup } from './setup.ts';

async function planned() {
  const world = setup();
  const handled: string[] = [];
  await world.wrkr.subscribe('team', '#', (event) => handled.push(`${event.name} ${event.tid}`));
  await world.wrkr.start();
  const receipts = await world.wrkr.publish([
    { name: 'mail', tid: 'u1', when: '1 day', payload: { n: 1 } },
    { name: 'mail', tid: 'u2', when: '2 days' },
    { name: 'call', tid: 'u1', when: '3 days' },
  ]);
  return { ...world, handled, receipts };
}

describe('a backend that cancels by receipt alone', () => {
  it('is asked for nothing else', async () => {
    const { wrkr, clock } = setup({ memory: { capabilities: { cancel: 'receipt', filter: ['id'] } } });
    await wrkr.subscribe('team', 'a', () => expect.fail('it was cancelled'));
    await wrkr.start();
    const receipt = await wrkr.publish({ name: 'a', tid: 't', when: '1 hour' });
    for (const filter of [{ id: receipt.id }, { tid: 't' }, { ...receipt, queue: 'team' }])
      expect((await refusal(wrkr.cancel(filter))).code).toBe('WRKR_UNSUPPORTED');
    expect(await wrkr.cancel(receipt)).toBe(1);
    await clock.advance('1 day');
  });
});

describe('find', () => {
  it('shows what is not yet due, with everything that its handler will get', async () => {
    const { wrkr, clock, receipts } = await planned();
    const { items } = await wrkr.find({ name: 'mail', tid: 'u1' });
    expect(items).toEqual([
      {
        id: receipts[0]?.id,
        name: 'mail',
        tid: 'u1',
        payload: { n: 1 },
        queue: undefined,
        state: 'delayed',
        attempt: 1,
        publishedAt: new Date(clock.now()),
        when: receipts[0]?.when,
        parentId: undefined,
        correlationId: receipts[0]?.id,
        headers: {},
      },
    ]);
  });

  it('finds by each key and by receipt, and everything without a filter', async () => {
    const { wrkr, receipts } = await planned();
    const names = async (filter?: object): Promise<string[]> =>
      (await wrkr.find(filter)).items.map(({ name, tid }) => `${name} ${tid}`);
    expect(await names()).toEqual(['mail u1', 'mail u2', 'call u1']);
    expect(await names({ tid: 'u1' })).toEqual(['mail u1', 'call u1']);
    expect(await names({ id: receipts[1]?.id })).toEqual(['mail u2']);
    expect(await names(receipts[2])).toEqual(['call u1']);
    expect(await names({ name: 'nobody' })).toEqual([]);
  });

  it('pages', async () => {
    const { wrkr } = await planned();
    const first = await wrkr.find({ limit: 2 });
    expect(first.items).toHaveLength(2);
    const second = await wrkr.find({ limit: 2, after: first.next as string });
    expect(second).toMatchObject({ items: [{ name: 'call' }] });
    expect(second.next).toBeUndefined();
  });

  it('with a queue shows what waits in it: not what is being handled, and retries as delayed', async () => {
    const { wrkr, clock } = setup();
    await wrkr.subscribe(
      'team',
      'a',
      (event) => {
        if (event.tid === 'fails') throw new Error('x');
        return new Promise(() => {});
      },
      { concurrency: 1, retry: { backoff: () => 60_000 } },
    );
    await wrkr.start();
    await wrkr.publish([
      { name: 'a', tid: 'fails' },
      { name: 'a', tid: 'held' },
    ]);
    await clock.settle();
    const { items } = await wrkr.find({ queue: 'team' });
    expect(items).toMatchObject([{ tid: 'fails', queue: 'team', state: 'delayed', attempt: 2 }]);
  });
});

describe('cancel', () => {
  it('takes back one by its receipt, and nobody sees it', async () => {
    const { wrkr, clock, handled, receipts } = await planned();
    expect(await wrkr.cancel(receipts[0] as never)).toBe(1);
    expect(await wrkr.cancel(receipts[0] as never)).toBe(0);
    await clock.advance('4 days');
    expect(handled).toEqual(['mail u2', 'call u1']);
  });

  it('takes back all that match, however many', async () => {
    const { wrkr, clock, handled } = await planned();
    await wrkr.publish(Array.from({ length: 250 }, () => ({ name: 'mail', tid: 'u9', when: '1 hour' })));
    expect(await wrkr.cancel({ tid: 'u9' })).toBe(250);
    expect(await wrkr.cancel({ name: 'mail', tid: 'u2' })).toBe(1);
    await clock.advance('4 days');
    expect(handled).toEqual(['mail u1', 'call u1']);
  });

  it('without a queue leaves what is queued already', async () => {
    const { wrkr, clock, handled, receipts } = await planned();
    await clock.advance('1 day');
    expect(handled).toEqual(['mail u1']);
    expect(await wrkr.cancel(receipts[0] as never)).toBe(0);
  });

  it('with a queue takes back what waits there, and not what is being handled', async () => {
    const { wrkr, clock } = setup();
    const handled: unknown[] = [];
    await wrkr.subscribe(
      'team',
      'a',
      (event) => {
        handled.push(event.tid);
        throw new Error('x');
      },
      { concurrency: 1, retry: { backoff: () => 60_000 } },
    );
    await wrkr.start();
    await wrkr.publish({ name: 'a', tid: '1' });
    await clock.settle();
    expect(await wrkr.cancel({ queue: 'team', tid: '1' })).toBe(1);
    await clock.advance('1 day');
    expect(handled).toEqual(['1']);
  });
});

describe('a filter', () => {
  it.each<[string, object, string]>([
    ['empty', {}, 'would match everything'],
    ['with nothing to match by', { when: new Date(), stored: true }, 'would match everything'],
    ['with an undefined value', { tid: undefined }, "an undefined 'tid'"],
    ['with an unknown key', { tide: 'x' }, "no 'tide'"],
    ['with a value that is no string', { tid: 5 }, "'tid' 5"],
    ['with an empty string', { id: '' }, "'id'"],
    ['with a when that is no Date', { id: 'x', when: '7 days' }, "'when'"],
  ])('that is %s is refused where something would change, and changes nothing', async (_, filter, message) => {
    const { wrkr } = await planned();
    for (const call of [wrkr.cancel(filter), wrkr.redrive(filter), wrkr.discard(filter)]) {
      expect(await refusal(call)).toMatchObject({ code: 'WRKR_INVALID_FILTER', message: expect.stringContaining(message) });
    }
    expect((await wrkr.find()).items).toHaveLength(3);
  });

  it('of a list may be empty, and its page must make sense', async () => {
    const { wrkr } = await planned();
    expect((await wrkr.find({})).items).toHaveLength(3);
    for (const page of [{ limit: 0 }, { limit: 1.5 }, { limit: Number.NaN }, { after: 5 }, { tid: undefined }, { lmit: 5 }]) {
      expect((await refusal(wrkr.find(page as never))).code).toBe('WRKR_INVALID_FILTER');
    }
    expect((await refusal(wrkr.find(null as never))).code).toBe('WRKR_INVALID_FILTER');
  });
});

describe('a backend that cannot', () => {
  it('refuses, and names where to look', async () => {
    const { wrkr } = setup({ memory: { capabilities: { browse: false, cancel: 'delayed', filter: ['id'], stats: false } } });
    await wrkr.start();
    for (const call of [wrkr.find(), wrkr.cancel({ queue: 'team', id: 'x' }), wrkr.cancel({ tid: 'x' }), wrkr.stats('team')]) {
      expect(await refusal(call)).toMatchObject({
        code: 'WRKR_UNSUPPORTED',
        message: expect.stringContaining('wrkr.capabilities'),
      });
    }
    const { id } = await wrkr.publish({ name: 'a', when: '1 day' });
    expect(await wrkr.cancel({ id })).toBe(1);
  });
});
