import type { Binding, QueueStats } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { consumes, instead } from './wrap.ts';

const lists = (
  change: (filter: Partial<Binding> | undefined, bindings: Breakable['bindings']) => ReturnType<Breakable['bindings']>,
): BreakIt => {
  return (backend) => instead(backend, 'bindings', (bindings) => (filter) => change(filter, bindings));
};

const counts = (change: (stats: QueueStats) => Partial<QueueStats>): BreakIt => {
  return (backend) =>
    instead(backend, 'stats', (stats) => async (queue) => {
      const real = await stats(queue);
      return { ...real, ...change(real) };
    });
};

const sum = (...figures: readonly (number | null)[]): number => figures.reduce<number>((a, b) => a + (b ?? 0), 0);

const drops = (change: (queue: string, drop: Breakable['drop'], backend: Breakable) => Promise<void>): BreakIt => {
  return (backend) => instead(backend, 'drop', (drop) => (queue) => change(queue, drop, backend));
};

export const looking: readonly Mutant[] = [
  {
    breaks: 'lists no queue that is only declared',
    caughtBy: 'bindings.lists-and-filters',
    breakIt: lists(async (filter, bindings) => (await bindings(filter)).filter(({ pattern }) => pattern !== undefined)),
  },
  {
    breaks: 'lists all bindings, whatever is asked for',
    caughtBy: 'bindings.lists-and-filters',
    breakIt: lists((_, bindings) => bindings()),
  },
  {
    breaks: 'lists parked queues and work queues as one',
    caughtBy: 'bindings.lists-and-filters',
    breakIt: lists((filter, bindings) => {
      const { kind: _, ...rest } = filter ?? {};
      return bindings(rest);
    }),
  },
  {
    breaks: 'still lists what was unbound',
    caughtBy: 'bindings.lists-and-filters',
    breakIt: (backend) => instead(backend, 'unbind', () => async () => {}),
  },
  {
    breaks: 'counts what is held as ready',
    caughtBy: 'stats.counts',
    breakIt: counts(({ ready, held }) => ({ ready: sum(ready, held) })),
  },
  {
    breaks: 'counts what is delayed as ready',
    caughtBy: 'stats.counts',
    breakIt: counts(({ ready, delayed }) => ({ ready: sum(ready, delayed) })),
  },
  { breaks: 'counts one too few', caughtBy: 'stats.counts', breakIt: counts(({ ready }) => ({ ready: sum(ready) - 1 })) },
  { breaks: 'counts nothing that is held', caughtBy: 'stats.counts', breakIt: counts(() => ({ held: 0 })) },
  {
    breaks: 'lets a consumer go on waiting for a queue that is gone',
    caughtBy: 'drop.under-a-consumer',
    breakIt: consumes(({ sink }) => ({
      sink: {
        deliver: (batch) => sink.deliver(batch),
        lost: (batch, why) => {
          if (why.code !== 'closed') sink.lost(batch, why);
        },
      },
    })),
  },
  {
    breaks: 'drops a queue and keeps its events for the next of that name',
    caughtBy: 'drop.removes-contents-and-bindings',
    breakIt: drops(async () => {}),
  },
  {
    breaks: 'drops the events of a queue and leaves its bindings',
    caughtBy: 'drop.removes-contents-and-bindings',
    breakIt: drops(async (queue, _, backend) => void (await backend.cancel({ queue }))),
  },
];
