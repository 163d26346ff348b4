import { MemoryBackend } from '@wrkr/memory';
import { describe, expect, it, vi } from 'vitest';
import { Wrkr } from 'wrkr';
import { setup } from './setup.ts';

describe('an error that no caller waits for', () => {
  const provoke = async (world: ReturnType<typeof setup>): Promise<void> => {
    await world.wrkr.subscribe('team', 'a', (_, ack) => ack.retry('soon'));
    await world.wrkr.start();
    await world.wrkr.publish({ name: 'a' });
    await world.clock.settle();
  };

  it('goes to the listener', async () => {
    const world = setup();
    const errors: string[] = [];
    world.wrkr.on('error', (error) => errors.push(error.code));
    await provoke(world);
    expect([errors, world.logged]).toEqual([['WRKR_INVALID_WHEN'], []]);
  });

  it('goes to the logger without one, and the process lives', async () => {
    const world = setup();
    await provoke(world);
    expect(world.logged.join()).toContain("'soon' is unclear");
  });

  it('goes to the console by default, as warnings do', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const wrkr = new Wrkr({ backend: new MemoryBackend() });
    await wrkr.subscribe('team', 'a', (_, ack) => ack.retry('soon'));
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await vi.waitFor(() => expect(error).toHaveBeenCalled());
    await wrkr.stop();
    error.mockRestore();
  });
});

describe('a listener', () => {
  it('that throws or rejects is caught and logged, and the others are told', async () => {
    const { wrkr, logged, clock } = setup();
    const told: string[] = [];
    wrkr.on('state', () => {
      throw new Error('mine');
    });
    wrkr.on('state', () => Promise.reject(new Error('mine too')) as never);
    wrkr.on('state', (state) => told.push(state));
    await wrkr.start();
    await clock.settle();
    expect(told).toEqual(['starting', 'up']);
    expect(logged).toEqual(Array(4).fill("a listener of 'state' threw"));
  });

  it('can be taken off', async () => {
    const { wrkr } = setup();
    const told: string[] = [];
    const off = wrkr.on('state', (state) => told.push(state));
    await wrkr.start();
    off();
    off();
    await wrkr.stop();
    expect(told).toEqual(['starting', 'up']);
  });

  it('that throws in the logger does not hurt either', async () => {
    const { wrkr, clock } = setup({
      logger: {
        warn: () => {
          throw new Error('full');
        },
        error: () => {
          throw new Error('full');
        },
      },
    });
    await wrkr.subscribe('team', 'a', (_, ack, { log }) => {
      log.warn('x');
      ack.retry('soon');
    });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(wrkr.state).toBe('up');
  });
});

describe('published', () => {
  it('tells of each event that was stored, follow-ups when their handler has acked', async () => {
    const { wrkr, clock } = setup();
    const told: unknown[] = [];
    wrkr.on('published', (event) => told.push([event.name, event.payload, event.when.getTime() - clock.now(), event.parentId]));
    await wrkr.subscribe('team', 'a', async (_, __, { followUp }) => void (await followUp({ name: 'b', when: '1 day' })));
    await wrkr.start();
    const { id } = await wrkr.publish({ name: 'a', payload: { n: 1n } });
    await clock.settle();
    expect(told).toEqual([
      ['a', { n: 1n }, 0, undefined],
      ['b', undefined, 86_400_000, id],
    ]);
  });
});

describe('the logger is told', () => {
  it('once of each name that has no handler in this process', async () => {
    const { wrkr, clock, backend, logged } = setup();
    await wrkr.subscribe('team', 'a', () => {});
    await wrkr.start();
    await backend.bind([{ queue: 'team', pattern: 'b', kind: 'work' }]);
    await wrkr.publish([{ name: 'b' }, { name: 'b' }]);
    await clock.advance('1 hour');
    expect(logged).toEqual([expect.stringContaining("no handler here for 'b' from 'team'")]);
  });

  it('when the server is lost, and when it is back', async () => {
    const told: string[] = [];
    const logger = { warn: (text: string) => told.push(text), info: (text: string) => told.push(text) };
    const { wrkr, backend } = setup({ logger });
    await wrkr.start();
    backend.cut();
    backend.restore();
    expect(told).toEqual(['the memory backend has lost its server', 'the memory backend has its server again']);
  });
});
