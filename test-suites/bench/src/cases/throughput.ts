import { tracingChannel } from 'node:diagnostics_channel';
import { MemoryBackend } from '@wrkr/memory';
import fastq from 'fastq';
import { type HandleMiddleware, Wrkr } from 'wrkr';
import { payload } from '../event.ts';

const CONCURRENCY = 200;
const WINDOW = 1000;

export interface Throughput {
  readonly subject: 'wrkr' | 'fastq';
  /** `at once`: all are pushed before the first is handled. `window`: a thousand are under way at any time. */
  readonly drive: 'at once' | 'window';
  readonly events: number;
  readonly queues: number;
  /** Of Wrkr: a middleware that only calls `next`, or a subscriber of both tracing channels that does nothing. */
  readonly beside?: 'middleware' | 'subscriber';
}

/** Takes an event's number; calls back when the event has been handled by every queue. */
type Push = (i: number) => unknown;

/** Events per second, from the first publish to the last handler (and, for Wrkr, the last ack). */
export async function throughput({ subject, drive, events, queues, beside }: Throughput): Promise<number> {
  let handled = 0;
  let next = (): void => {};
  let allHandled = (): void => {};
  const handle = (): void => {
    handled++;
    if (handled === events * queues) allHandled();
    else if (handled % queues === 0) next();
  };
  const { push, settled } = subject === 'wrkr' ? await ofWrkr(queues, handle, beside) : ofFastq(handle);
  const rates: number[] = [];
  for (const _ of ['warm-up', 'counted']) {
    handled = 0;
    let i = 0;
    const done = new Promise<void>((resolve) => {
      allHandled = resolve;
    });
    const began = performance.now();
    if (drive === 'at once') {
      const pushed: unknown[] = [];
      while (i < events) pushed.push(push(i++));
      await Promise.all(pushed);
    } else {
      next = () => {
        if (i < events) void push(i++);
      };
      while (i < WINDOW) void push(i++);
    }
    await done;
    await settled();
    rates.push(events / ((performance.now() - began) / 1000));
  }
  return rates.at(-1) ?? 0;
}

const onlyNext: HandleMiddleware = (_event, _ack, _context, next) => next();

async function ofWrkr(
  queues: number,
  handle: () => void,
  beside: Throughput['beside'],
): Promise<{ push: Push; settled: () => Promise<void> }> {
  const backend = new MemoryBackend();
  const wrkr = new Wrkr({ backend, middleware: { handle: beside === 'middleware' ? [onlyNext] : [] } });
  if (beside === 'subscriber')
    for (const name of ['wrkr.publish', 'wrkr.process']) tracingChannel(name).start.subscribe(() => {});
  const handler = async (): Promise<void> => handle();
  for (let q = 0; q < queues; q++) await wrkr.subscribe(`queue${q}`, 'user.added', handler, { concurrency: CONCURRENCY });
  await wrkr.start();
  return {
    push: (i) => wrkr.publish({ name: 'user.added', tid: `user-${i}`, payload: payload(i) }),
    settled: async () => {
      for (let q = 0; q < queues; q++) {
        while (((await wrkr.stats(`queue${q}`)).held ?? 0) > 0) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** The same JSON to bytes and back; no ids, no queue by name, no lease, no ack. */
function ofFastq(handle: () => void): { push: Push; settled: () => Promise<void> } {
  const queue = fastq.promise<unknown, Buffer>(async (bytes) => {
    JSON.parse(bytes.toString());
    handle();
  }, CONCURRENCY);
  return { push: (i) => queue.push(Buffer.from(JSON.stringify(payload(i)))), settled: async () => {} };
}
