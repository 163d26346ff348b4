import { MemoryBackend } from '@wrkr/memory';
import { Wrkr } from 'wrkr';
import { payload } from '../event.ts';

export interface Parked {
  readonly backlog: number;
}

export interface ParkedFigures {
  /** Of one delayed publish while so many are parked, in nanoseconds. */
  readonly publishNs: number;
  readonly cancelNs: number;
  /** Heap of one parked event, its body not counted, in bytes. */
  readonly heapBytes: number;
}

const DAY = 86_400_000;
const MEASURED = 20_000;

/** What a delayed event costs while so many are parked, due at random times within a year. */
export async function parked({ backlog }: Parked): Promise<ParkedFigures> {
  const wrkr = new Wrkr({ backend: new MemoryBackend(), relay: false });
  await wrkr.start();
  const publish = async (from: number, count: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let i = from; i < from + count; i += 1000) {
      const some = Array.from({ length: Math.min(1000, from + count - i) }, (_, k) => ({
        name: 'user.reminded',
        tid: `user-${i + k}`,
        payload: payload(i + k),
        when: DAY + Math.floor(Math.random() * 364 * DAY),
      }));
      for (const { id } of await wrkr.publish(some)) ids.push(id);
    }
    return ids;
  };
  await publish(0, MEASURED); // warm-up
  await wrkr.cancel({ name: 'user.reminded' });
  const before = heap();
  await publish(0, backlog);
  const heapBytes = (heap() - before) / backlog;
  const ids: string[] = [];
  const publishNs = await nsOf(async () => void ids.push(...(await publish(backlog, MEASURED))), MEASURED);
  await wrkr.cancel({ id: 'nobody' }); // the index by id is made when it is first needed
  const cancelNs = await nsOf(async () => {
    for (const id of ids) await wrkr.cancel({ id });
  }, MEASURED);
  return { publishNs, cancelNs, heapBytes };
}

async function nsOf(work: () => Promise<void>, count: number): Promise<number> {
  globalThis.gc?.();
  const began = performance.now();
  await work();
  return ((performance.now() - began) / count) * 1e6;
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
