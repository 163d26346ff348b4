import type { Wrkr } from 'wrkr';
import type { Question } from './primes.ts';

export interface Events {
  'answer.wanted': Question;
}

/** What was found out, by signature: an answer, or that there is none. Several processes would share one, as they share the queue. */
export type Cache = Map<string, { readonly status: 200 | 500; readonly body: object }>;

/** Does the work that is queued, two at a time, and keeps what comes of it. */
export async function work(wrkr: Wrkr<Events>, cache: Cache, find: (question: Question) => Promise<object>): Promise<void> {
  const options = { concurrency: 2, timeout: '1 minute', retry: { attempts: 3 } };
  const subscription = await wrkr.subscribe(
    'worker',
    'answer.wanted',
    async ({ tid = '', payload }) => {
      if (cache.get(tid)?.status === 200) return; // asked for once more while the answer was on its way into the cache, or acked twice
      cache.set(tid, { status: 200, body: await find(payload) });
    },
    options,
  );
  wrkr.on('dead', ({ queue, tid = '' }) => {
    if (queue === subscription.queue) cache.set(tid, { status: 500, body: { error: 'This cannot be answered' } });
  });
}
