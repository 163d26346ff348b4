import { backendError, type Sink } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { instead, onConsumer } from './wrap.ts';

type Method = 'bind' | 'unbind' | 'send' | 'consume' | 'cancel' | 'change' | 'browse' | 'bindings' | 'stats' | 'drop';

/** Where the backend is not open, answers in another way than by rejecting with `closed`. */
function unlessOpen(method: Method, answer: () => Promise<unknown>): BreakIt {
  return (backend) =>
    instead(
      backend,
      method,
      (real) =>
        ((...args: Parameters<typeof real>) =>
          backend.connected ? (real as (...all: readonly unknown[]) => unknown)(...args) : answer()) as typeof real,
    );
}

function closing(close: (real: Breakable['close'], backend: Breakable) => Promise<void>): BreakIt {
  return (backend) => instead(backend, 'close', (real) => () => close(real, backend));
}

/** Methods that no other mutant answers without a connection. */
const ANSWERS = {
  'never-opened': ['unbind', 'consume', 'cancel', 'change', 'browse', 'bindings', 'stats', 'drop'],
  closed: ['bind', 'unbind', 'send', 'change', 'bindings'],
} as const;

const answersWithoutConnection = Object.entries(ANSWERS).flatMap(([when, methods]) =>
  methods.map((method) => ({
    breaks: `answers ${method}() while it is ${when === 'closed' ? 'closed' : 'not open yet'}`,
    caughtBy: `trait.${when}.${method}`,
    breakIt: unlessOpen(method, async () => null),
  })),
);

export const closed: readonly Mutant[] = [
  ...answersWithoutConnection,
  {
    breaks: 'takes events before it is open, and forgets them',
    caughtBy: 'trait.never-opened.send',
    breakIt: unlessOpen('send', async () => ({ failures: [], deduplicated: [] })),
  },
  {
    breaks: 'throws, where it should reject, before it is open',
    caughtBy: 'trait.never-opened.bind',
    breakIt: unlessOpen('bind', () => {
      throw new Error('not connected');
    }),
  },
  {
    breaks: 'finds nothing, instead of refusing, after close()',
    caughtBy: 'trait.closed.browse',
    breakIt: unlessOpen('browse', async () => ({ items: [] })),
  },
  {
    breaks: 'counts nothing, instead of refusing, after close()',
    caughtBy: 'trait.closed.stats',
    breakIt: unlessOpen('stats', async () => ({ ready: 0, delayed: 0, held: 0, oldestReadyAt: null })),
  },
  {
    breaks: 'lets the error of its client through after close()',
    caughtBy: 'trait.closed.cancel',
    breakIt: unlessOpen('cancel', () => Promise.reject(new Error('socket hang up'))),
  },
  {
    breaks: 'is only unavailable, so that it is tried again, after close()',
    caughtBy: 'trait.closed.drop',
    breakIt: unlessOpen('drop', () => Promise.reject(backendError('unavailable', 'there is no connection'))),
  },
  {
    breaks: 'consumes after close(), for ever and nothing',
    caughtBy: 'trait.closed.consume',
    breakIt: (backend) =>
      instead(backend, 'consume', (consume) => async (queue, sink, options) => {
        const none = async (): Promise<readonly never[]> => [];
        return backend.connected
          ? consume(queue, sink, options)
          : { limit: () => {}, settle: none, extend: none, stop: async () => {} };
      }),
  },
  {
    breaks: 'keeps what it holds at close() until its leases end',
    caughtBy: 'close.gives-back-at-once',
    breakIt: closing(async (_, backend) => backend.crash()),
  },
  {
    breaks: 'says at close() that everything is lost',
    caughtBy: 'close.gives-back-at-once',
    breakIt: (backend) => {
      const sinks: Sink[] = [];
      onConsumer((_, { sink }) => void sinks.push(sink))(backend);
      closing(async (close) => {
        await close();
        for (const sink of sinks) sink.lost('all', backendError('closed', 'it was closed'));
      })(backend);
    },
  },
  {
    breaks: 'sends what it holds at close() as if it were new',
    caughtBy: 'close.given-back-are-counted',
    breakIt: closing(async (close, { broker }) => {
      for (const queue of broker.queues({})) for (const item of queue.matching({})) item.handouts = 0;
      return close();
    }),
  },
];
