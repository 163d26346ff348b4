import { MemoryBackend } from '@wrkr/memory';
import { Wrkr } from 'wrkr';
import { payload } from '../event.ts';

export interface Latency {
  readonly events: number;
}

/** From publish to the first line of the handler, one event at a time into an idle bus: [p50, p99, max] in milliseconds. */
export async function latency({ events }: Latency): Promise<readonly number[]> {
  const wrkr = new Wrkr({ backend: new MemoryBackend() });
  const took: number[] = [];
  let published = 0;
  await wrkr.subscribe('queue', 'user.added', async () => void took.push(performance.now() - published));
  await wrkr.start();
  for (let i = 0; i < events; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    published = performance.now();
    await wrkr.publish({ name: 'user.added', tid: `user-${i}`, payload: payload(i) });
  }
  await wrkr.stop();
  const counted = took.slice(events / 10).sort((a, b) => a - b);
  const at = (share: number): number => counted[Math.min(counted.length - 1, Math.floor(counted.length * share))] ?? 0;
  return [at(0.5), at(0.99), at(1)];
}
