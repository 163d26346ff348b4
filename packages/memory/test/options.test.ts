import { Broker, MemoryBackend, type MemoryOptions } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import { describe, expect, it } from 'vitest';
import { event, idsOf, opened, taking } from './setup.ts';

describe('the options', () => {
  it.each<[unknown, string]>([
    ['memory:', 'new MemoryBackend takes an object, not memory:'],
    [null, 'new MemoryBackend takes an object, not null'],
    [{ brokr: 1 }, "new MemoryBackend has no 'brokr': it can have broker, capabilities"],
    [{ broker: {} }, 'new MemoryBackend: broker must be a Broker of @wrkr/memory'],
    [{ capabilities: 'all' }, 'capabilities takes an object, not all'],
    [{ capabilities: { toString: 1 } }, "capabilities has no 'toString': it can have contract, scope,"],
  ])('%j are refused', (options, message) => {
    const make = (): unknown => new MemoryBackend(options as MemoryOptions);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });

  it('give a broker of its own, or share one', async () => {
    const broker = new Broker();
    const [one, other, stranger] = [await opened({ broker }), await opened({ broker }), await opened()];
    await one.backend.send([event('e')]);
    expect([await idsOf(other.backend, {}), await idsOf(stranger.backend, {})]).toEqual([['e'], []]);
  });

  it('take methods away with their capabilities', () => {
    const bare = new MemoryBackend({ capabilities: { cancel: false, change: false, browse: false, stats: false } });
    expect([bare.cancel, bare.change, bare.browse, bare.stats]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('say what this backend is, if they say nothing else', () => {
    expect(new MemoryBackend().capabilities).toEqual({
      contract: 1,
      scope: 'process',
      durable: false,
      lease: { kind: 'timed', minMs: 1 },
      delay: { maxMs: Number.MAX_SAFE_INTEGER, granularityMs: 1, fanOut: false },
      filter: ['id', 'key', 'tid', 'name', 'queue'],
      cancel: 'all',
      browse: 'all',
      dead: 'browse',
      change: true,
      dedupe: true,
      tx: false,
      handouts: 'exact',
      fifo: true,
      stats: 'exact',
      clock: 'injected',
      limits: { bodyBytes: 2 ** 26, headerBytes: 2 ** 16, nameBytes: 255, batch: 250, batchBytes: 2 ** 26, inFlight: 1 },
    });
  });
});

describe('its state', () => {
  it('is told once for each change, and not for what changes nothing', async () => {
    const { backend, said } = await opened();
    backend.restore();
    backend.cut();
    backend.cut();
    expect(backend.connected).toBe(false);
    backend.restore();
    backend.restore();
    expect(backend.connected).toBe(true);
    await backend.close();
    await backend.close();
    backend.cut();
    backend.restore();
    expect([backend.connected, said]).toEqual([false, ['up', 'down: the connection was cut', 'up', 'closed']]);
  });

  it('is not told by a process that dies', async () => {
    const { backend, said } = await opened();
    backend.crash();
    await backend.close();
    expect(said).toEqual(['up']);
  });

  it('decides which calls are taken', async () => {
    const fresh = new MemoryBackend();
    await expect(fresh.bind([])).rejects.toMatchObject({ code: 'closed', message: 'the backend is not open yet' });
    expect(() => fresh.clock).toThrow('the backend is not open yet');
    expect(Math.abs(fresh.now() - Date.now())).toBeLessThan(1000);
    const { backend } = await opened();
    backend.cut();
    await expect(backend.bind([])).rejects.toMatchObject({ code: 'unavailable', message: 'the connection was cut' });
    backend.restore();
    await backend.close();
    const calls = [
      () => backend.send([]),
      () => backend.unbind([]),
      () => backend.bindings(),
      () => backend.drop('q'),
      () => taking(backend),
      () => backend.browse({}, { limit: 1 }),
      () => backend.cancel({}),
      () => backend.change({}, {}),
      () => backend.stats('q'),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'closed', message: 'the backend is closed' });
    await expect(backend.open({ clock: new VirtualClock(), log: () => {}, onState: () => {} })).rejects.toMatchObject({
      code: 'closed',
      message: 'it was closed: make a new MemoryBackend on the same broker',
    });
  });

  it('closed before it was open says nothing', async () => {
    const backend = new MemoryBackend();
    await backend.close();
    await expect(backend.open({ clock: new VirtualClock(), log: () => {}, onState: () => {} })).rejects.toThrow('it was closed');
  });
});
