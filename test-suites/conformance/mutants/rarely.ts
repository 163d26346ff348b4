import type { Outgoing, Stored } from 'wrkr/backend';
import type { BreakIt, Mutant } from './mutant.ts';
import { fits, routes } from './patterns.ts';
import { delivers, instead, sends, sendsBatches } from './wrap.ts';

/** Keeps some of what is in a queue when it is dropped. */
const dropsAllBut = (stays: (item: Stored) => boolean): BreakIt => {
  return (backend) =>
    instead(backend, 'drop', (drop) => async (queue) => {
      const { items } = await backend.browse({ queue }, { limit: 1000 });
      await drop(queue);
      await backend.bind([{ queue, kind: 'work' }]);
      await backend.send(items.filter(stays).map((item) => ({ ...item, to: { queue } })));
    });
};

/** Gives a queue what was published before it was bound. */
const replays: BreakIt = (backend) => {
  const published: Outgoing[] = [];
  sends((out) => {
    if ('event' in out.to) published.push(out);
    return out;
  })(backend);
  instead(backend, 'bind', (bind) => async (batch) => {
    await bind(batch);
    const copies = batch.flatMap(({ queue, pattern }) =>
      published.filter(({ name }) => name === pattern).map((out) => ({ ...out, to: { queue } })),
    );
    await backend.send(copies);
  });
};

const declaresForDelays = sendsBatches(async (batch, send, backend) => {
  const later = batch.filter(({ at }) => at > backend.now());
  await backend.bind(later.flatMap(({ to }) => ('queue' in to ? [{ queue: to.queue, kind: 'work' }] : [])));
  return send(batch);
});

/** What is seen on long or odd input, large numbers, and queues that go. */
export const rarely: readonly Mutant[] = [
  {
    breaks: 'has the keys of headers in lower case',
    caughtBy: 'headers.keys-of-other-worlds',
    breakIt: delivers((d) => ({
      ...d,
      headers: Object.fromEntries(Object.entries(d.headers).map(([key, value]) => [key.toLowerCase(), value])),
    })),
  },
  {
    breaks: 'cuts names at 100 characters',
    caughtBy: 'names.long',
    breakIt: sends((out) => ({ ...out, name: out.name.slice(0, 100) })),
  },
  {
    breaks: 'reaches 50 queues at most',
    caughtBy: 'fanout.many-queues',
    breakIt: routes(fits, (queues) => queues.slice(0, 50)),
  },
  {
    breaks: 'gives a queue what was published before it was bound',
    caughtBy: 'fanout.no-history-for-late-binding',
    breakIt: replays,
  },
  {
    breaks: 'makes the queue that is missing for what is delayed',
    caughtBy: 'delay.to-missing-queue-is-invalid',
    breakIt: declaresForDelays,
  },
  {
    breaks: 'cancels what is ready, and nothing that is delayed',
    caughtBy: 'cancel.what-is-not-due',
    breakIt: (backend) =>
      instead(backend, 'cancel', (cancel) => async (filter) => {
        const { items } = await backend.browse(filter, { limit: 1000 });
        return items.some(({ state }) => state === 'delayed') ? 0 : cancel(filter);
      }),
  },
  {
    breaks: 'keeps what is delayed when its queue is dropped',
    caughtBy: 'drop.with-delayed-events',
    breakIt: dropsAllBut(({ state }) => state === 'delayed'),
  },
  {
    breaks: 'gives what is held back when its queue is dropped',
    caughtBy: 'drop.under-a-consumer',
    breakIt: dropsAllBut(({ state }) => state === 'held'),
  },
];
