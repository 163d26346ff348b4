import { MemoryBackend, type MemoryOptions } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import { backendError, type Outgoing, type Sent } from 'wrkr/backend';
import * as z from 'zod';
import { gate, refusal, setup } from './setup.ts';

/** A transaction of the caller: what is sent in it is stored when it is committed. */
class Session {
  readonly batches: (readonly Outgoing[])[] = [];
}

/** Memory with transactions: it keeps what is sent in a session until that is committed. */
class Transactional extends MemoryBackend {
  /** Calls of `send` in no session. */
  plain = 0;
  /** What becomes of a batch in a session, if it is not simply kept. */
  answer: (batch: readonly Outgoing[], count: number) => Sent | undefined = () => undefined;

  constructor({ capabilities, ...options }: MemoryOptions = {}) {
    super({ ...options, capabilities: { ...capabilities, tx: true } });
  }

  override send: MemoryBackend['send'] = async (batch, { tx } = {}) => {
    if (tx === undefined) {
      this.plain++;
      return super.send(batch);
    }
    const session = tx as Session;
    session.batches.push([...batch]);
    return this.answer(batch, session.batches.length) ?? { failures: [], deduplicated: [] };
  };

  async commit(session: Session): Promise<void> {
    for (const batch of session.batches) await super.send(batch);
  }
}

const three = [1, 2, 3].map((n) => ({ name: 'a', tid: `t${n}`, payload: n }));

describe('publish in a session', () => {
  it('stores nothing until it is committed; then all is there', async () => {
    const backend = new Transactional();
    const { wrkr, clock } = setup({ backend });
    const handled: unknown[] = [];
    await wrkr.subscribe('team', 'a', ({ payload }) => handled.push(payload));
    await wrkr.start();
    const [kept, aborted] = [new Session(), new Session()];
    const receipt = await wrkr.publish({ name: 'a', payload: 0 }, { session: kept });
    const receipts = await wrkr.publish(three, { session: kept });
    await wrkr.publish({ name: 'a', payload: 'aborted' }, { session: aborted });
    await clock.settle();
    expect([receipt.stored, receipts.length, handled]).toEqual([true, 3, []]);
    await backend.commit(kept);
    await clock.settle();
    expect(handled).toEqual([0, 1, 2, 3]);
    expect(backend.plain).toBe(0);
  });

  it('gives the ids that are stored, and delayed events go with it', async () => {
    const backend = new Transactional();
    const { wrkr, clock } = setup({ backend });
    await wrkr.start();
    const session = new Session();
    const { id, when } = await wrkr.publish({ name: 'a', when: '1 hour' }, { session });
    expect(when.getTime()).toBe(clock.now() + 3_600_000);
    expect((await wrkr.find()).items).toEqual([]);
    await backend.commit(session);
    expect((await wrkr.find()).items).toMatchObject([{ id, name: 'a', when }]);
  });

  it('sends no more at once than the backend takes', async () => {
    const limits = { ...new MemoryBackend().capabilities.limits, batch: 2 };
    const { wrkr } = setup({ backend: new Transactional({ capabilities: { limits } }) });
    await wrkr.start();
    const session = new Session();
    const receipts = await wrkr.publish([...three, ...three, { name: 'b' }], { session });
    expect(session.batches.map(({ length }) => length)).toEqual([2, 2, 2, 1]);
    expect(session.batches.flat().map(({ id }) => id)).toEqual(receipts.map(({ id }) => id));
  });

  it('is all or an error: the first failure ends it, and nothing is sent again', async () => {
    const limits = { ...new MemoryBackend().capabilities.limits, batch: 2 };
    const backend = new Transactional({ capabilities: { limits } });
    const { wrkr } = setup({ backend });
    await wrkr.start();
    for (const code of ['unavailable', 'invalid'] as const) {
      const error = backendError(code, 'no more');
      backend.answer = (_, count) => (count === 2 ? { failures: [{ index: 1, error }], deduplicated: [] } : undefined);
      const session = new Session();
      const refused = await refusal(wrkr.publish([...three, ...three], { session }));
      expect(refused).toEqual({
        code: code === 'invalid' ? 'WRKR_BACKEND' : 'WRKR_UNAVAILABLE',
        message: 'not published, and the session should be aborted: no more',
        applied: 'no',
      });
      expect(session.batches).toHaveLength(2);
    }
  });

  it('passes on what the client itself throws, with the labels that say whether to repeat the transaction', async () => {
    const backend = new Transactional();
    const { wrkr } = setup({ backend });
    await wrkr.start();
    const own = Object.assign(new Error('WriteConflict'), { errorLabels: ['TransientTransactionError'] });
    backend.answer = () => {
      throw own;
    };
    await expect(wrkr.publish({ name: 'a' }, { session: new Session() })).rejects.toBe(own);
  });

  it('takes its turn: a session has one call under way at a time, another session its own', async () => {
    const backend = new Transactional();
    const { wrkr } = setup({ backend });
    await wrkr.start();
    const calls: string[] = [];
    const { opened, open } = gate();
    const send = backend.send;
    backend.send = async (batch, options) => {
      const [{ name } = { name: '' }] = batch;
      calls.push(`${name} begins`);
      if (name === 'slow') await opened;
      calls.push(`${name} ends`);
      return send(batch, options);
    };
    const [one, other] = [new Session(), new Session()];
    const first = wrkr.publish({ name: 'slow' }, { session: one });
    const second = wrkr.publish({ name: 'next' }, { session: one });
    await wrkr.publish({ name: 'else' }, { session: other });
    open();
    await Promise.all([first, second]);
    expect(calls).toEqual(['slow begins', 'else begins', 'else ends', 'slow ends', 'next begins', 'next ends']);
  });

  it('reads and validates all of them before the first is sent', async () => {
    const name = z.string().refine(async (text) => text !== 'taken');
    const { wrkr } = setup({ backend: new Transactional(), catalogue: { name, a: z.any() } });
    await wrkr.start();
    const session = new Session();
    const code = async (events: readonly { name: string; payload?: unknown }[]): Promise<string> =>
      (await refusal(wrkr.publish(events, { session }))).code;
    expect(await code([...three, { name: 'name', payload: 'taken' }])).toBe('WRKR_INVALID_PAYLOAD');
    expect(await code([...three, { name: 'a b' }])).toBe('WRKR_INVALID_NAME');
    expect(session.batches).toEqual([]);
    await wrkr.publish({ name: 'name', payload: 'free' }, { session });
    expect(session.batches).toHaveLength(1);
  });

  it('tells by the receipt what is there already', async () => {
    const backend = new Transactional();
    const { wrkr, clock } = setup({ backend });
    await wrkr.start();
    const at = clock.now();
    backend.answer = () => ({ failures: [], deduplicated: [{ index: 1, id: 'theirs', at }] });
    const session = new Session();
    const events = ['x', 'y'].map((tid) => ({ name: 'a', tid, once: true }));
    const receipts = await wrkr.publish(events, { session });
    expect(receipts).toMatchObject([{ stored: true }, { id: 'theirs', when: new Date(at), stored: false }]);
  });

  it('that waits for its turn sends nothing once the bus has stopped', async () => {
    let sends = 0;
    class Hanging extends Transactional {
      override send: MemoryBackend['send'] = () => {
        sends++;
        return new Promise(() => {});
      };
    }
    const { wrkr } = setup({ backend: new Hanging() });
    await wrkr.start();
    const session = new Session();
    const calls = [1, 2].map(() => refusal(wrkr.publish({ name: 'a' }, { session })));
    await wrkr.stop();
    for (const call of calls) expect((await call).code).toBe('WRKR_CLOSED');
    expect(sends).toBe(1);
  });

  it('that is undefined is refused: it would publish outside of the transaction that was meant', async () => {
    const backend = new Transactional();
    const { wrkr } = setup({ backend });
    await wrkr.start();
    expect((await refusal(wrkr.publish({ name: 'a' }, { session: undefined } as object))).code).toBe('WRKR_INVALID_OPTION');
    expect(backend.plain).toBe(0);
  });

  it('beside a scheduler takes what is sent now, and refuses what would wait elsewhere', async () => {
    const { wrkr, clock } = setup({ backend: new Transactional(), scheduler: new MemoryBackend() });
    await wrkr.start();
    const session = new Session();
    await wrkr.publish({ name: 'a' }, { session });
    await wrkr.publish({ name: 'a', when: new Date(clock.now() - 1) }, { session });
    for (const events of [{ name: 'a', when: '1 hour' }, [{ name: 'a' }, { name: 'a', tid: 't', onceEvery: '1 hour' }]])
      expect(await refusal(wrkr.publish(events as { name: string }, { session }))).toMatchObject({
        code: 'WRKR_UNSUPPORTED',
        message: expect.stringContaining('the scheduler'),
        applied: 'no',
      });
    expect(session.batches).toHaveLength(2);
  });

  it('is refused where the backend has no transactions, and stores nothing', async () => {
    const { wrkr } = setup();
    await wrkr.subscribe('team', 'a', () => {});
    await wrkr.start();
    await wrkr.pause('team');
    for (const events of [{ name: 'a' }, three]) {
      const refused = await refusal(wrkr.publish(events as { name: string }, { session: {} }));
      expect(refused).toMatchObject({ code: 'WRKR_UNSUPPORTED', applied: 'no' });
    }
    expect((await wrkr.stats('team')).ready).toBe(0);
  });

  it('lets stop() wait until it has its answer', async () => {
    const backend = new Transactional();
    const { wrkr, clock } = setup({ backend });
    await wrkr.start();
    const order: string[] = [];
    const publishing = wrkr.publish(three, { session: new Session() }).then(() => order.push('published'));
    await Promise.all([publishing, wrkr.stop().then(() => order.push('stopped')), clock.settle()]);
    expect(order).toEqual(['published', 'stopped']);
  });
});

describe('the options of publish', () => {
  it.each([
    [{ sesion: {} }, "publish has no 'sesion': it can have session. Did you mean 'session'?"],
    ['session', 'the options of publish must be an object'],
    [null, 'the options of publish must be an object'],
    [{ session: 5 }, 'session must be an object'],
    [{ session: null }, 'session must be an object'],
  ])('%o are refused', async (options, message) => {
    const { wrkr } = setup({ backend: new Transactional() });
    await wrkr.start();
    expect(await refusal(wrkr.publish({ name: 'a' }, options as never))).toMatchObject({
      code: 'WRKR_INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  });
});
