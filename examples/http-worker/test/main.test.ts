import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { MemoryBackend } from '@wrkr/memory';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Wrkr } from 'wrkr';
import { listen } from '../src/endpoint.ts';
import { primes, type Question } from '../src/primes.ts';
import { type Cache, type Events, work } from '../src/worker.ts';

const CLIENTS = 200;
const SIGNATURES = 10;

interface World {
  readonly wrkr: Wrkr<Events>;
  readonly cache: Cache;
  /** Asks over HTTP. */
  ask(below: number, query?: string): Promise<Response>;
}

/** A server of its own, whose work is `find`. */
async function serve(find: (question: Question) => Promise<object>): Promise<World> {
  const wrkr = new Wrkr<Events>({ backend: new MemoryBackend(), retry: { backoff: () => 1 } });
  const cache: Cache = new Map();
  await work(wrkr, cache, find);
  await wrkr.start();
  const { url, server } = await listen(wrkr, cache, 0);
  onTestFinished(async () => {
    server.close();
    await wrkr.stop();
  });
  return { wrkr, cache, ask: (below, query = '') => fetch(`${url}/primes?below=${below}${query}`) };
}

describe('200 clients that ask 10 different things at once', () => {
  it('are told to come back while the work is queued, once for each; then all have their answer', async () => {
    const jobs: number[] = [];
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { wrkr, cache, ask } = await serve(async (question) => {
      jobs.push(question.below);
      await opened;
      return primes(question);
    });
    const published: unknown[] = [];
    wrkr.on('published', ({ tid }) => published.push(tid));
    const askAll = (): Promise<readonly Response[]> =>
      Promise.all(Array.from({ length: CLIENTS }, (_, i) => ask(1000 + (i % SIGNATURES), `&client=${i}`)));

    for (const response of await askAll()) {
      expect([response.status, response.headers.get('retry-after')]).toEqual([202, '1']);
    }
    const { ready, held } = await wrkr.stats('worker');
    expect([Number(ready) + Number(held), published.length, new Set(published).size]).toEqual(Array(3).fill(SIGNATURES));

    open();
    await vi.waitFor(() => expect(cache.size).toBe(SIGNATURES));
    for (const [i, response] of (await askAll()).entries()) {
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ below: 1000 + (i % SIGNATURES), count: 168, largest: 997 });
    }
    expect([...jobs].sort()).toEqual(Array.from({ length: SIGNATURES }, (_, i) => 1000 + i));
    expect(published).toHaveLength(SIGNATURES);
  });

  it('get one job for each also while the answers come in', async () => {
    const jobs: number[] = [];
    const { ask } = await serve(async (question) => {
      jobs.push(question.below);
      return primes(question);
    });
    const patient = async (i: number): Promise<void> => {
      while ((await ask(2000 + (i % SIGNATURES))).status !== 200);
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => patient(i)));
    expect([...jobs].sort()).toEqual(Array.from({ length: SIGNATURES }, (_, i) => 2000 + i));
  });
});

describe('what goes wrong', () => {
  it('work that fails again and again ends in 500', async () => {
    let runs = 0;
    const { cache, ask } = await serve(async () => {
      runs++;
      throw new Error('too hard');
    });
    expect((await ask(1000)).status).toBe(202);
    await vi.waitFor(() => expect(cache.size).toBe(1));
    expect([(await ask(1000)).status, runs]).toEqual([500, 3]);
  });

  it('what is no question is 404', async () => {
    const { ask } = await serve(primes);
    expect((await ask(-5)).status).toBe(404);
  });
});

describe('the program', () => {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

  function run(env: Record<string, string>): ChildProcess {
    const child = spawn(process.execPath, [main], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  it('answers, and ends in order when it is asked to', async () => {
    const child = run({ PORT: '0' });
    const [first] = (await once(child.stdout as never, 'data')) as [Buffer];
    const url = /http:\S+below=/.exec(first.toString())?.[0] ?? '';
    expect((await fetch(`${url}1000000`)).status).toBe(202);
    await vi.waitFor(async () => expect((await fetch(`${url}1000000`)).status).toBe(200), { timeout: 5000 });
    expect(await (await fetch(`${url}1000000`)).json()).toEqual({ below: 1_000_000, count: 78_498, largest: 999_983 });
    child.kill('SIGTERM');
    const [stderr, [code]] = await Promise.all([text(child.stderr as never), once(child, 'exit')]);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('takes its backend from WRKR_URL, and says which there are', async () => {
    const child = run({ WRKR_URL: 'nothing://here' });
    const [stderr, [code]] = await Promise.all([text(child.stderr as never), once(child, 'exit')]);
    expect(code).toBe(1);
    expect(stderr).toContain('There is no backend for nothing://here yet');
  });
});
