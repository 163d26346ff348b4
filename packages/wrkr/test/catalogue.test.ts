import { Broker, MemoryBackend } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { type Schemas, Wrkr } from 'wrkr';
import * as z from 'zod';
import { gate, refusal, setup } from './setup.ts';

/** The same by two libraries: what is stored differs from what is handed over. */
const libraries = {
  zod: {
    'user.added': z.object({ plan: z.enum(['free', 'pro']), born: z.iso.date().transform((text) => new Date(text)) }),
    'user.asked': z.object({ times: z.number().default(1) }),
    'user.gone': z.undefined(),
  },
  valibot: {
    'user.added': v.object({
      plan: v.picklist(['free', 'pro']),
      born: v.pipe(
        v.string(),
        v.isoDate(),
        v.transform((text) => new Date(text)),
      ),
    }),
    'user.asked': v.object({ times: v.optional(v.number(), 1) }),
    'user.gone': v.undefined(),
  },
} satisfies Record<string, Schemas>;

const ada = { plan: 'pro', born: '1815-12-10' };

describe.each(Object.entries(libraries))('a catalogue of %s', (_, catalogue: Schemas) => {
  it('stores what was given and hands over what the validator makes of it', async () => {
    const { wrkr, clock } = setup({ catalogue });
    const handled: unknown[] = [];
    const published: unknown[] = [];
    wrkr.on('published', ({ payload }) => published.push(payload));
    await wrkr.subscribe('team', '#', ({ payload }) => handled.push(payload));
    await wrkr.start();
    await wrkr.publish([{ name: 'user.added', payload: ada }, { name: 'user.asked', payload: {} }, { name: 'user.gone' }]);
    await clock.settle();
    expect(published).toEqual([ada, {}, undefined]);
    expect(handled).toEqual([{ plan: 'pro', born: new Date('1815-12-10') }, { times: 1 }, undefined]);
  });

  it('refuses at publish what is not good, says where, and stores nothing', async () => {
    const { wrkr } = setup({ catalogue });
    await wrkr.subscribe('team', '#', () => {});
    await wrkr.start();
    await wrkr.pause('team');
    const bad = { name: 'user.added', payload: { ...ada, plan: 'platinum' } };
    for (const call of [wrkr.publish(bad), wrkr.publish([{ name: 'user.added', payload: ada }, bad])]) {
      const { code, message, applied } = await refusal(call);
      expect([code, applied]).toEqual(['WRKR_INVALID_PAYLOAD', 'no']);
      expect(message).toMatch(
        /^(?:events\[1\]: )?the payload of 'user.added' is not what the catalogue says: payload\.plan: .*"pro"/,
      );
    }
    const { message } = await refusal(wrkr.publish({ name: 'user.added', payload: { plan: 5 } }));
    expect(message).toMatch(/payload\.plan: .*; payload\.born: /);
    expect((await wrkr.stats('team')).ready).toBe(0);
  });

  it('makes what is not good when it is handed over a failed attempt, and in the end a dead letter', async () => {
    const broker = new Broker();
    const foreign = setup({ backend: new MemoryBackend({ broker }) });
    const { wrkr, clock } = setup({
      catalogue,
      clock: foreign.clock,
      backend: new MemoryBackend({ broker }),
      retry: { attempts: 3, backoff: () => 1000 },
    });
    const handled: unknown[] = [];
    const retried: number[] = [];
    wrkr.on('retry', ({ attempt }) => retried.push(attempt));
    await wrkr.subscribe('team', 'user.added', ({ id }) => handled.push(id));
    await wrkr.start();
    await foreign.wrkr.start();
    await foreign.wrkr.publish({ name: 'user.added', id: 'bad', payload: { plan: 'pro', born: 'yesterday' } });
    await foreign.wrkr.publish({ name: 'user.added', id: 'good', payload: ada });
    await clock.advance('1 minute');
    expect([handled, retried]).toEqual([['good'], [1, 2]]);
    const { items } = await wrkr.deadLetters({ queue: 'team' });
    expect(items).toMatchObject([{ id: 'bad', attempts: 3, error: { code: 'WRKR_INVALID_PAYLOAD' } }]);
    expect(items[0]?.error.message).toContain('payload.born: ');
  });

  it('refuses names that it does not have, and guesses which was meant', async () => {
    const { wrkr } = setup({ catalogue });
    await wrkr.start();
    const calls = [wrkr.publish({ name: 'user.add' }), wrkr.subscribe('team', 'user.add', () => {})];
    for (const call of calls) {
      expect(await refusal(call)).toMatchObject({
        code: 'WRKR_INVALID_NAME',
        message: "the catalogue has no event 'user.add'. Did you mean 'user.added'?",
      });
    }
    expect((await refusal(wrkr.publish({ name: 'invoice.paid' }))).message).toBe("the catalogue has no event 'invoice.paid'");
  });
});

describe('a catalogue whose validators take their time', () => {
  const name = z.string().refine(async (text) => text !== 'taken', 'is taken');
  const catalogue = { 'user.named': z.object({ name }), 'user.plain': z.object({ n: z.number() }) };

  it('publishes when they have answered, as the event was at the call', async () => {
    const { wrkr, clock } = setup({ catalogue });
    const handled: unknown[] = [];
    await wrkr.subscribe('team', '#', ({ payload }) => handled.push(payload));
    await wrkr.start();
    const payload = { name: 'ada' };
    const publishing = wrkr.publish({ name: 'user.named', payload });
    payload.name = 'changed';
    await publishing;
    await wrkr.publish([
      { name: 'user.plain', payload: { n: 1 } },
      { name: 'user.named', payload: { name: 'bob' } },
    ]);
    await clock.settle();
    expect(handled).toEqual([{ name: 'ada' }, { n: 1 }, { name: 'bob' }]);
  });

  it('refuses all if one of several is not good', async () => {
    const { wrkr } = setup({ catalogue });
    await wrkr.subscribe('team', '#', () => {});
    await wrkr.start();
    await wrkr.pause('team');
    const bad = { name: 'user.named', payload: { name: 'taken' } };
    const refused = await refusal(wrkr.publish([{ name: 'user.plain', payload: { n: 1 } }, bad]));
    expect(refused).toMatchObject({ code: 'WRKR_INVALID_PAYLOAD', applied: 'no' });
    expect(refused.message).toContain('payload.name: is taken');
    expect((await wrkr.stats('team')).ready).toBe(0);
  });

  it('has stop() and the virtual clock wait for them', async () => {
    const slowly = z.string().refine(async () => {
      for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
      return true;
    });
    const clock = new VirtualClock({ patience: 500 });
    const { wrkr } = setup({ catalogue: { a: slowly }, clock });
    const handled: unknown[] = [];
    await wrkr.subscribe('team', 'a', ({ payload }) => handled.push(payload));
    await wrkr.start();
    void wrkr.publish({ name: 'a', payload: 'x' });
    await clock.settle();
    expect(handled).toEqual(['x']);
    const publishing = wrkr.publish({ name: 'a', payload: 'y' });
    await wrkr.stop();
    expect((await publishing).stored).toBe(true);
  });

  it('ends no process when another of the several is refused before it has answered', async () => {
    const { wrkr, clock } = setup({ catalogue });
    await wrkr.start();
    const bad = { name: 'user.named', payload: { name: 'taken' } };
    expect((await refusal(wrkr.publish([bad, { name: 'a b' }]))).code).toBe('WRKR_INVALID_NAME');
    await clock.settle(); // an unhandled rejection would fail the test run
  });

  it('refuses a follow-up, and its handler has failed', async () => {
    const { wrkr, clock } = setup({ catalogue: { ...catalogue, go: z.any() }, retry: { backoff: () => 1000 } });
    const handled: unknown[] = [];
    const retried: string[] = [];
    wrkr.on('retry', (_, error) => retried.push((error as { code: string }).code));
    await wrkr.subscribe('team', 'go', async ({ attempt }, _, { followUp }) => {
      await followUp({ name: 'user.named', payload: { name: attempt === 1 ? 'taken' : 'ada' } });
    });
    await wrkr.subscribe('team', 'user.named', ({ payload }) => handled.push(payload));
    await wrkr.start();
    await wrkr.publish({ name: 'go' });
    await clock.advance('1 minute');
    expect([retried, handled]).toEqual([['WRKR_INVALID_PAYLOAD'], [{ name: 'ada' }]]);
  });

  it('does not ack before a follow-up that nobody awaits is known to be good', async () => {
    const { opened, open } = gate();
    const slow = z.string().refine(async (text) => {
      await opened;
      return text !== 'taken';
    });
    const { wrkr, clock } = setup({ catalogue: { slow, go: z.any() }, retry: { backoff: () => 1000 } });
    const handled: unknown[] = [];
    const retried: string[] = [];
    wrkr.on('retry', (_, error) => retried.push((error as { code: string }).code));
    await wrkr.subscribe('team', 'go', ({ attempt }, ack, { followUp }) => {
      followUp({ name: 'slow', payload: attempt === 1 ? 'taken' : 'ada' }).catch(() => {});
      ack();
    });
    await wrkr.subscribe('other', 'slow', ({ payload }) => handled.push(payload));
    await wrkr.start();
    await wrkr.publish({ name: 'go' });
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect((await wrkr.stats('team')).held).toBe(1);
    open();
    await clock.advance('1 minute');
    expect([retried, handled]).toEqual([['WRKR_INVALID_PAYLOAD'], ['ada']]);
  });
});

describe('patterns', () => {
  it('are not looked up; what they match is validated, what the catalogue does not know is handed over as it is', async () => {
    const broker = new Broker();
    const foreign = setup({ backend: new MemoryBackend({ broker }) });
    const backend = new MemoryBackend({ broker });
    const { wrkr, clock } = setup({ catalogue: libraries.zod, clock: foreign.clock, backend });
    const handled: unknown[] = [];
    await wrkr.subscribe('team', 'user.*', ({ name, payload }) => handled.push([name, payload]));
    await wrkr.subscribe('team', 'nothing.#', () => {});
    await wrkr.start();
    await foreign.wrkr.start();
    await foreign.wrkr.publish([
      { name: 'user.asked', payload: {} },
      { name: 'user.unknown', payload: 'as it is' },
    ]);
    await clock.settle();
    expect(handled).toEqual([
      ['user.asked', { times: 1 }],
      ['user.unknown', 'as it is'],
    ]);
  });
});

describe('middleware', () => {
  it('of publish comes before the validators, and so does that of handle', async () => {
    const catalogue = { a: z.number().transform((n) => n + 1) };
    const seen: unknown[] = [];
    const { wrkr, clock } = setup({
      catalogue,
      middleware: {
        publish: [(event) => ({ ...event, payload: Number(event.payload) })],
        handle: [
          (event, _ack, _context, next) => {
            seen.push(event.payload);
            return next({ ...event, payload: 10 * Number(event.payload) });
          },
        ],
      },
    });
    await wrkr.subscribe('team', 'a', ({ payload }) => seen.push(payload));
    await wrkr.start();
    await wrkr.publish({ name: 'a', payload: '4' });
    await clock.settle();
    expect(seen).toEqual([4, 41]);
  });
});

describe('the option catalogue', () => {
  const backend = new MemoryBackend();
  it.each<[string, unknown, string, string]>([
    ['is no object', [], 'WRKR_INVALID_OPTION', 'catalogue must be an object'],
    ['has something else than a validator', { a: { type: 'object' } }, 'WRKR_INVALID_OPTION', "'a' must be a Standard Schema"],
    ['has nothing under a name', { a: undefined }, 'WRKR_INVALID_OPTION', 'not undefined'],
    ['has a name that is not allowed', { 'a b': z.any() }, 'WRKR_INVALID_NAME', '"a b" has a blank'],
    ['has a pattern', { 'a.*': z.any() }, 'WRKR_INVALID_NAME', 'has a wildcard'],
  ])('that %s is refused', (_, catalogue, code, message) => {
    expect(() => new Wrkr({ backend, catalogue: catalogue as Schemas })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('a validator that throws', () => {
  const throwing = (validate: () => never | Promise<never>): Schemas[string] => ({
    '~standard': { version: 1, vendor: 'test', validate },
  });
  const odd = (): never => {
    throw new Error('odd');
  };

  it.each([
    ['at once', throwing(odd)],
    ['later', throwing(async () => odd())],
  ])('%s, refuses the payload, and which of several it was is said', async (_, schema) => {
    const { wrkr } = setup({ catalogue: { a: z.any(), b: schema } });
    await wrkr.start();
    const { code, message } = await refusal(wrkr.publish([{ name: 'a' }, { name: 'b', payload: 'x' }]));
    expect([code, message]).toEqual(['WRKR_INVALID_PAYLOAD', expect.stringMatching(/^events\[1\]: .*odd/)]);
  });
});
