import { MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import type { WrkrError } from 'wrkr';
import { gate, refusal, setup } from './setup.ts';

describe('one call to the backend', () => {
  it('has no more items and no more bytes than it takes, and one event that is heavier goes alone', async () => {
    class Counting extends MemoryBackend {
      readonly calls: number[][] = [];
      override send: MemoryBackend['send'] = (batch) => {
        this.calls.push(batch.map(({ body }) => body.byteLength));
        return super.send(batch);
      };
    }
    const { limits } = new MemoryBackend().capabilities;
    const backend = new Counting({ capabilities: { limits: { ...limits, batch: 3, batchBytes: 100 } } });
    const { wrkr } = setup({ backend });
    await wrkr.start();
    const sizes = [10, 10, 10, 10, 60, 50, 500, 10];
    await wrkr.publish(sizes.map((size) => ({ name: 'a', payload: 'x'.repeat(size - 2) })));
    expect(backend.calls).toEqual([[10, 10, 10], [10, 60], [50], [500], [10]]);
  });
});

describe('publish', () => {
  it('gives a receipt: the id, when it is due, and that it was stored', async () => {
    const { wrkr, clock } = setup();
    await wrkr.start();
    const now = await wrkr.publish({ name: 'user.added' });
    expect(now).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      when: new Date(clock.now()),
      stored: true,
    });
    const later = await wrkr.publish({ name: 'user.added', when: '7 days' });
    expect(later.when).toEqual(new Date(clock.now() + 7 * 86_400_000));
    const past = await wrkr.publish({ name: 'user.added', when: new Date(5) });
    expect(past.when).toEqual(new Date(clock.now()));
  });

  it('makes ids that sort in the order of publishing', async () => {
    const { wrkr, clock } = setup();
    await wrkr.start();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      for (const { id } of await wrkr.publish(Array.from({ length: 5000 }, () => ({ name: 'a' })))) ids.push(id);
      await clock.advance(i);
    }
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('hands the handler plain data, everything that was given and where it comes from', async () => {
    const { wrkr, clock } = setup();
    const events: unknown[] = [];
    await wrkr.subscribe('team', 'user.added', (event) => events.push(event));
    await wrkr.start();
    const sentAt = new Date(clock.now());
    await wrkr.publish({
      name: 'user.added',
      tid: 'u1',
      payload: { plan: 'pro' },
      id: 'my-id',
      headers: { traceparent: '00-1' },
    });
    await clock.settle();
    expect(events).toEqual([
      {
        id: 'my-id',
        name: 'user.added',
        tid: 'u1',
        payload: { plan: 'pro' },
        queue: 'team',
        attempt: 1,
        publishedAt: sentAt,
        when: sentAt,
        parentId: undefined,
        correlationId: 'my-id',
        headers: { traceparent: '00-1' },
      },
    ]);
  });

  it('keeps publishedAt and when of a delayed event', async () => {
    const { wrkr, clock } = setup();
    const times: Date[] = [];
    await wrkr.subscribe('team', 'a', (event) => times.push(event.publishedAt, event.when));
    await wrkr.start();
    const start = clock.now();
    await wrkr.publish({ name: 'a', when: '1 hour' });
    await clock.advance('2 hours');
    expect(times).toEqual([new Date(start), new Date(start + 3_600_000)]);
  });

  it('reads the event before it returns', async () => {
    const { wrkr, clock } = setup();
    const seen: unknown[] = [];
    await wrkr.subscribe('team', 'a', (event) => seen.push(event.tid, event.payload));
    await wrkr.start();
    const event = { name: 'a', tid: 'before', payload: { list: ['before'] } };
    const published = wrkr.publish(event);
    event.tid = 'after';
    event.payload.list.push('after');
    await published;
    await clock.settle();
    expect(seen).toEqual(['before', { list: ['before'] }]);
  });

  it('gives each attempt and each queue a copy of its own', async () => {
    const { wrkr, clock } = setup();
    const seen: unknown[] = [];
    const handler = ({ payload }: { payload: unknown }): void => {
      const { list } = payload as { list: number[] };
      seen.push([...list]);
      list.push(2);
      throw new Error('again');
    };
    for (const queue of ['a', 'b']) await wrkr.subscribe(queue, 'x', handler, { retry: { attempts: 2, backoff: () => 0 } });
    await wrkr.start();
    await wrkr.publish({ name: 'x', payload: { list: [1] } });
    await clock.advance(10);
    expect(seen).toEqual([[1], [1], [1], [1]]);
  });

  it('takes several events at once, and gives their receipts in order', async () => {
    const { wrkr, clock } = setup();
    const seen: (string | undefined)[] = [];
    await wrkr.subscribe('team', '#', (event) => seen.push(event.tid));
    await wrkr.start();
    const receipts = await wrkr.publish([
      { name: 'a', tid: '1', id: 'x' },
      { name: 'b', tid: '2', when: 1000, id: 'y' },
      { name: 'c', tid: '3', id: 'z' },
    ]);
    expect(receipts.map(({ id }) => id)).toEqual(['x', 'y', 'z']);
    await clock.advance(1000);
    expect(seen).toEqual(['1', '3', '2']);
    expect(await wrkr.publish([])).toEqual([]);
  });

  it('sends nothing of several if one of them is not good', async () => {
    const { wrkr, clock } = setup();
    const seen: unknown[] = [];
    await wrkr.subscribe('team', '#', (event) => seen.push(event.name));
    await wrkr.start();
    const refused = await refusal(wrkr.publish([{ name: 'good' }, { name: 'bad one' }]));
    expect(refused.code).toBe('WRKR_INVALID_NAME');
    await wrkr.publish({ name: 'fence' });
    await clock.settle();
    expect(seen).toEqual(['fence']);
  });

  it('tells which of several were stored', async () => {
    const { wrkr } = setup({
      memory: {
        capabilities: {
          limits: { bodyBytes: 100, headerBytes: 1000, nameBytes: 255, batch: 100, batchBytes: 1000, inFlight: 1 },
        },
      },
    });
    await wrkr.start();
    await wrkr.subscribe('team', 'a', () => {});
    expect((await refusal(wrkr.publish([{ name: 'a' }, { name: 'a', payload: 'x'.repeat(200) }]))).code).toBe('WRKR_TOO_LARGE');
  });

  it('rejects with WRKR_PUBLISH_PARTIAL and a result for each, if the backend took only some', async () => {
    class Picky extends MemoryBackend {
      override send: MemoryBackend['send'] = async (batch) => {
        const failures = batch.flatMap((out, index) =>
          out.tid === 'bad'
            ? [
                {
                  index,
                  error: Object.assign(new Error('no'), {
                    name: 'BackendError' as const,
                    code: 'internal' as const,
                    applied: 'maybe' as const,
                  }),
                },
              ]
            : [],
        );
        return { failures, deduplicated: [] };
      };
    }
    const { wrkr } = setup({ backend: new Picky() });
    await wrkr.start();
    const error: WrkrError = await wrkr
      .publish([
        { name: 'a', id: '1' },
        { name: 'a', tid: 'bad' },
      ])
      .then(
        () => expect.fail('it was stored'),
        (thrown) => thrown,
      );
    expect(error.code).toBe('WRKR_PUBLISH_PARTIAL');
    expect(error.applied).toBe('maybe');
    expect(error.results).toEqual([
      { id: '1', when: expect.any(Date), stored: true },
      expect.objectContaining({ code: 'WRKR_BACKEND', applied: 'maybe' }),
    ]);
  });

  it('from inside a handler is a plain publish, also where only one may run', async () => {
    const { wrkr, clock } = setup();
    const seen: string[] = [];
    await wrkr.subscribe(
      'team',
      '#',
      async (event) => {
        seen.push(event.name);
        if (event.name === 'first') expect(await wrkr.publish({ name: 'second' })).toMatchObject({ stored: true });
      },
      { concurrency: 1 },
    );
    await wrkr.start();
    await wrkr.publish({ name: 'first' });
    await clock.settle();
    expect(seen).toEqual(['first', 'second']);
  });

  it('of an event that nobody subscribed is reported', async () => {
    const { wrkr, clock } = setup();
    const unrouted: unknown[] = [];
    wrkr.on('unrouted', (event) => unrouted.push(event));
    await wrkr.start();
    const { id } = await wrkr.publish({ name: 'nobody' });
    await clock.settle();
    expect(unrouted).toEqual([{ id, name: 'nobody' }]);
  });

  it('delays by hops where the backend cannot wait so long in one piece', async () => {
    const maxMs = 3_600_000;
    const { wrkr, clock } = setup({ memory: { capabilities: { delay: { maxMs, granularityMs: 1, fanOut: false } } } });
    const seen: number[] = [];
    await wrkr.subscribe('team', 'a', (event) => seen.push(clock.now(), event.when.getTime()));
    await wrkr.start();
    const due = clock.now() + 7 * 86_400_000;
    const { when } = await wrkr.publish({ name: 'a', when: '7 days' });
    expect(when).toEqual(new Date(due));
    await clock.advance(7 * 86_400_000 - 1);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual([due, due]);
    await clock.advance('1 day');
    expect(seen).toHaveLength(2);
  });

  it('is refused where the backend cannot delay, and then nothing is sent', async () => {
    const { wrkr } = setup({ memory: { capabilities: { delay: false } } });
    await wrkr.start();
    expect(await refusal(wrkr.publish({ name: 'a', when: '1 day' }))).toMatchObject({ code: 'WRKR_UNSUPPORTED', applied: 'no' });
    await expect(wrkr.publish({ name: 'a' })).resolves.toBeDefined();
  });
});

describe('when the connection is lost', () => {
  it('publish waits for it, and the event is stored once', async () => {
    const { wrkr, clock, backend } = setup();
    const seen: unknown[] = [];
    await wrkr.subscribe('team', 'a', (event) => seen.push(event.id));
    await wrkr.start();
    backend.cut();
    expect(wrkr.state).toBe('down');
    const publishing = wrkr.publish({ name: 'a', id: 'x' });
    await new Promise((resolve) => clock.real.after(30, () => resolve(undefined)));
    backend.restore();
    expect(wrkr.state).toBe('up');
    await publishing;
    await clock.settle();
    expect(seen).toEqual(['x']);
  });

  it('publish gives up after its time and says that nothing was stored', async () => {
    const { wrkr, backend } = setup({ publishTimeout: 40 });
    await wrkr.start();
    backend.cut();
    expect(await refusal(wrkr.publish({ name: 'a' }))).toMatchObject({ code: 'WRKR_UNAVAILABLE', applied: 'no' });
    backend.restore();
    await expect(wrkr.publish({ name: 'a' })).resolves.toBeDefined();
  });

  it('acks wait for it', async () => {
    const { wrkr, clock, backend } = setup();
    const handling = gate();
    await wrkr.subscribe('team', 'a', () => handling.opened);
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    backend.cut();
    handling.open();
    await new Promise((resolve) => clock.real.after(60, () => resolve(undefined)));
    backend.restore();
    await clock.settle();
    expect(await wrkr.stats('team')).toEqual({ ready: 0, delayed: 0, held: 0, dead: 0 });
  });
});
