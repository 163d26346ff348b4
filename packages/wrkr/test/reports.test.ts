import { describe, expect, it } from 'vitest';
import type { Handler, SubscriptionOptions, WrkrError, WrkrOptions } from 'wrkr';
import { type BackendErrorCode, backendError } from 'wrkr/backend';
import { type Setup, setup } from './setup.ts';

interface Run extends Setup {
  readonly errors: WrkrError[];
  /** Number of the attempt and time, of each run. */
  readonly runs: number[][];
}

/** One event, handled by this handler, with all that is reported. */
async function run(handler: Handler, options: SubscriptionOptions = {}, bus: Partial<WrkrOptions> = {}): Promise<Run> {
  const world = setup(bus);
  const { wrkr, clock } = world;
  const errors: WrkrError[] = [];
  const runs: number[][] = [];
  const began = clock.now();
  wrkr.on('error', (error) => errors.push(error));
  const noted: Handler = (event, ack, context) => {
    runs.push([event.attempt, clock.now() - began]);
    return handler(event, ack, context);
  };
  await wrkr.subscribe('team', 'a', noted, { retry: { attempts: 2, backoff: () => 60_000 }, ...options });
  await wrkr.start();
  return { ...world, errors, runs };
}

const publishOne = async ({ wrkr, clock }: Setup): Promise<void> => {
  await wrkr.publish({ name: 'a' });
  await clock.settle();
};

describe('a time that cannot be read', () => {
  it('is reported as none, where ack.later was given none', async () => {
    const world = await run((_, ack) => ack.later(undefined as never));
    await publishOne(world);
    expect(world.errors.map(({ code, message }) => [code, message])).toEqual([
      ['WRKR_INVALID_WHEN', expect.stringMatching(/^when: '' is unclear/)],
    ]);
    await world.clock.advance('1 day');
    const { items } = await world.wrkr.deadLetters();
    expect(items[0]?.error.message).toBe('ack.later was given no time that can be read');
  });

  it('is reported where a Date throws, and the policy decides', async () => {
    const cause = new Error('odd');
    const when = Object.assign(new Date(), {
      getTime(): number {
        throw cause;
      },
    });
    const world = await run((_, ack) => ack.retry(when));
    await publishOne(world);
    await world.clock.advance('1 minute');
    expect(world.errors).toMatchObject([{ message: 'when: odd', cause }]);
    expect(world.runs.map(([, at]) => at)).toEqual([0, 60_000]);
  });
});

it('a back-off that throws is reported with what it threw', async () => {
  const cause = new Error('no idea');
  const backoff = (): number => {
    throw cause;
  };
  const world = await run(() => Promise.reject(new Error('x')), { retry: { backoff } });
  await publishOne(world);
  const message = 'retry.backoff: no idea; the default is used';
  expect(world.errors).toMatchObject([{ code: 'WRKR_INVALID_OPTION', message, cause }]);
});

describe('follow-ups that are not stored', () => {
  const refused = async (codes: Readonly<Record<string, BackendErrorCode>>): Promise<Run> => {
    const follow: Handler = (_, __, { followUp }) => {
      for (const name of Object.keys(codes)) void followUp({ name });
    };
    const world = await run(follow, {}, { publishTimeout: 1 });
    const { backend } = world;
    const { send } = backend;
    backend.send = async (batch) => {
      const sent = await send.call(backend, batch);
      const failures = batch.flatMap(({ name }, index) => {
        const code = codes[name];
        return code ? [{ index, error: backendError(code, code) }] : [];
      });
      return { ...sent, failures };
    };
    await publishOne(world);
    await expect.poll(() => world.errors).toHaveLength(1);
    await world.clock.advance(59_999);
    return world;
  };

  it('because the server is away cost no attempt: the handler runs again soon', async () => {
    const { runs, errors } = await refused({ b: 'unavailable' });
    expect(errors[0]?.message).toContain("the follow-ups of 'a' in 'team' were not stored: ");
    expect(runs.slice(0, 2)).toEqual([
      [1, 0],
      [1, 1000],
    ]);
  });

  it.each([
    ['one of them can never be', { b: 'too_large' }],
    ['of several one can never be', { b: 'unavailable', c: 'too_large' }],
    ['of several one can never be, whichever', { b: 'too_large', c: 'unavailable' }],
  ] as const)('because %s are a failed attempt', async (_, codes) => {
    const { runs, errors, wrkr, clock } = await refused(codes);
    expect(errors[0]?.message).toContain('too_large');
    expect(runs).toEqual([[1, 0]]);
    await clock.advance(1);
    expect(runs).toEqual([
      [1, 0],
      [2, 60_000],
    ]);
    await expect.poll(async () => (await wrkr.deadLetters({ queue: 'team' })).items).toHaveLength(1);
  });
});

it('a dead letter that is redriven has its history with it, and nothing else of its past', async () => {
  const world = await run((_, ack) => ack.dead('why'));
  const { wrkr, clock, backend } = world;
  await publishOne(world);
  await wrkr.pause('team');
  await wrkr.redrive({ queue: 'team' });
  await clock.settle();
  const [row] = (await backend.browse?.({ queue: 'team' }, { limit: 1 }))?.items ?? [];
  expect(Object.keys(row?.headers ?? {})).toEqual(['wrkr-errors']);
});
