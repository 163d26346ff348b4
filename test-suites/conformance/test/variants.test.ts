import { Broker, MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import type { Capabilities } from 'wrkr/backend';
import { type Harness, report } from '../src/index.ts';
import { chaotic } from './chaos.ts';

type Options = NonNullable<ConstructorParameters<typeof MemoryBackend>[0]>;

function harnessOf(make: (options: Options) => MemoryBackend, more: Partial<Harness> = {}): Harness {
  const brokers = new Map<string, Broker>();
  return {
    create: ({ namespace }) => {
      const broker = brokers.get(namespace) ?? new Broker();
      brokers.set(namespace, broker);
      return make({ broker });
    },
    crash: (backend) => (backend as MemoryBackend).crash(),
    cut: (backend) => {
      (backend as MemoryBackend).cut();
      return () => (backend as MemoryBackend).restore();
    },
    ...more,
  };
}

const declaring = (capabilities: Partial<Capabilities>): Harness =>
  harnessOf((options) => new MemoryBackend({ ...options, capabilities }));

/** What failed, and how many passed. */
async function outcome(
  harness: Harness,
  sideBySide = 1,
): Promise<{ readonly failed: readonly string[]; readonly passed: number }> {
  const { results } = await report('variant', harness, { sideBySide });
  const failed = results.filter(({ status }) => status === 'failed').map(({ id, reason }) => `${id}: ${reason}`);
  return { failed, passed: results.filter(({ status }) => status === 'passed').length };
}

describe('memory passes as', () => {
  it.each<[string, Partial<Capabilities>, number]>([
    ['a broker, whose leases end with the connection', { lease: { kind: 'connection', maxMs: 1_800_000 } }, 150],
    ['one that cannot delay', { delay: false }, 130],
    ['one without keys', { dedupe: false }, 150],
    ['one that finds nothing', { cancel: false, browse: false, change: false, stats: false, dead: 'drain', filter: [] }, 130],
  ])('%s', async (_, capabilities, least) => {
    const { failed, passed } = await outcome(declaring(capabilities));
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(least);
  });

  it('one whose time is that of the machine, and has to be waited for', { timeout: 120_000 }, async () => {
    const capabilities: Partial<Capabilities> = { clock: 'server', lease: { kind: 'timed', minMs: 1000 } };
    const { failed, passed } = await outcome(declaring(capabilities), 32);
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(150);
  });

  it.each([1, 2, 3])('a slow and untidy server, seed %i', async (seed) => {
    let count = 0;
    const { failed, passed } = await outcome(harnessOf((options) => chaotic(options, seed * 1000 + count++)));
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(150);
  });

  it('a backend that cannot delay beside a scheduler that can', async () => {
    const cannot = { delay: false, cancel: false, browse: 'all', change: true } as const;
    const make = (options: Options): MemoryBackend => new MemoryBackend({ ...options, capabilities: cannot });
    const scheduler = harnessOf((options) => new MemoryBackend(options)).create;
    const { failed, passed } = await outcome(harnessOf(make, { scheduler }));
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(140);
  });
});
