import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Broker, MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import { Wrkr } from 'wrkr';
import { gate, setup } from './setup.ts';

describe('state', () => {
  it('goes from new to closed, down while the connection is lost, and each change is told once', async () => {
    const { wrkr, backend } = setup();
    const told: string[] = [];
    wrkr.on('state', (state) => told.push(`${state}, ${wrkr.state}`));
    expect(wrkr.state).toBe('new');
    await wrkr.start();
    backend.cut();
    backend.cut();
    backend.restore();
    await wrkr.stop();
    expect(told).toEqual(['starting', 'up', 'down', 'up', 'stopping', 'closed'].map((state) => `${state}, ${state}`));
  });

  it('stays stopping when the connection is lost and found on the way out', async () => {
    const { wrkr, backend, clock } = setup();
    const { opened, open } = gate();
    await wrkr.subscribe('team', 'a', () => opened);
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    const stopped = wrkr.stop();
    await clock.settle();
    backend.cut();
    expect(wrkr.state).toBe('stopping');
    backend.restore();
    expect(wrkr.state).toBe('stopping');
    open();
    await stopped;
    expect(wrkr.state).toBe('closed');
  });
});

it('a bus that holds nothing does not keep its process alive', async () => {
  const program = `
    import { MemoryBackend } from '@wrkr/memory';
    import { Wrkr } from 'wrkr';
    const wrkr = new Wrkr({ backend: new MemoryBackend() });
    await wrkr.start();
    await wrkr.publish({ name: 'a' });
    console.log('published');
  `;
  const cwd = fileURLToPath(new URL('../../..', import.meta.url));
  const args = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 20_000 }); // killed then, and rejects
  expect(stdout).toBe('published\n');
});

describe('capabilities', () => {
  it('are the backend’s, plain JSON, the same before, during and after', async () => {
    const { wrkr, backend } = setup({ memory: { capabilities: { tx: false, cancel: 'delayed' } } });
    const before = JSON.stringify(wrkr.capabilities);
    expect(wrkr.capabilities).toMatchObject({ scope: 'process', cancel: 'delayed' });
    await wrkr.start();
    expect(wrkr.capabilities).toEqual(backend.capabilities);
    await wrkr.stop();
    expect(JSON.stringify(wrkr.capabilities)).toBe(before);
  });

  it('are not the scheduler’s', async () => {
    const { wrkr } = setup({ memory: { capabilities: { delay: false } }, scheduler: new MemoryBackend() });
    await wrkr.start();
    expect(wrkr.capabilities.delay).toBe(false);
    await wrkr.publish({ name: 'a', when: '1 hour' });
  });
});

describe('await using', () => {
  const bus = (broker?: Broker): Wrkr => new Wrkr({ backend: new MemoryBackend(broker && { broker }) });

  it('stops when the block is left by an error too, which is not hidden', async () => {
    let left: Wrkr | undefined;
    const block = async (): Promise<void> => {
      await using wrkr = bus();
      left = wrkr;
      await wrkr.start();
      throw new Error('mine');
    };
    await expect(block()).rejects.toThrow('mine');
    expect(left?.state).toBe('closed');
  });

  it('lets the running handler finish and its ack be written', async () => {
    const broker = new Broker();
    let handled = false;
    {
      await using wrkr = bus(broker);
      const begun = new Promise<void>((resolve) => {
        void wrkr.subscribe('team', 'a', async () => {
          resolve();
          await new Promise((done) => setImmediate(done));
          handled = true;
        });
      });
      await wrkr.start();
      await wrkr.publish({ name: 'a' });
      await begun;
    }
    expect([handled, broker.queue('team')?.stats(0)]).toMatchObject([true, { ready: 0, delayed: 0, held: 0 }]);
  });

  it('of a subscription ends this process’s handler; its binding stays', async () => {
    const { wrkr, clock } = setup();
    await wrkr.start();
    let runs = 0;
    {
      await using subscription = await wrkr.subscribe('team', 'a', () => runs++);
      expect(subscription).toMatchObject({ queue: 'team', pattern: 'a' });
      await wrkr.publish({ name: 'a' });
      await clock.settle();
    }
    await wrkr.publish({ name: 'a' });
    await clock.settle();
    expect(runs).toBe(1);
    expect((await wrkr.stats('team')).ready).toBe(1);
    await wrkr.subscribe('team', 'a', () => runs++); // the fence
    await clock.settle();
    expect(runs).toBe(2);
  });
});
