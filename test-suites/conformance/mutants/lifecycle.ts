import { backendError, type Capabilities } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { instead } from './wrap.ts';

/** Declares something else. */
function declares(change: (capabilities: Capabilities) => Partial<Capabilities>): BreakIt {
  return (backend) => instead(backend, 'capabilities', (real) => ({ ...real, ...change(real) }));
}

/** Where the backend is not open, answers in another way than by rejecting with `closed`. */
function unlessOpen(method: 'bind' | 'send' | 'cancel' | 'browse' | 'stats' | 'drop', answer: () => Promise<unknown>): BreakIt {
  return (backend) =>
    instead(
      backend,
      method,
      (real) =>
        ((...args: Parameters<typeof real>) =>
          backend.connected ? (real as (...all: readonly unknown[]) => unknown)(...args) : answer()) as typeof real,
    );
}

/** Does something more when it is opened. */
function opening(more: (...args: Parameters<Breakable['open']>) => void): BreakIt {
  return (backend) =>
    instead(backend, 'open', (open) => async (env) => {
      await open(env);
      more(env);
    });
}

function closing(close: (real: Breakable['close'], backend: Breakable) => Promise<void>): BreakIt {
  return (backend) => instead(backend, 'close', (real) => () => close(real, backend));
}

const closedOnlyOnce: BreakIt = (backend) => {
  let closed = false;
  instead(backend, 'close', (close) => async () => {
    if (closed) throw backendError('closed', 'it was closed before');
    closed = true;
    return close();
  });
};

const saysClosedTwice: BreakIt = (backend) => {
  let say = (): void => {};
  opening((env) => {
    say = () => env.onState('closed');
  })(backend);
  closing((close) => close().then(say))(backend);
};

const forgetsAtClose: BreakIt = (backend) => {
  closing(async (close) => {
    await close();
    instead(backend, 'capabilities', (real): Capabilities => ({ ...real, delay: false }));
  })(backend);
};

export const lifecycle: readonly Mutant[] = [
  {
    breaks: 'declares an endless delay, which is no JSON',
    caughtBy: 'caps.plain-and-stable',
    breakIt: declares(() => ({ delay: { maxMs: Number.POSITIVE_INFINITY, granularityMs: 1, fanOut: false } })),
  },
  {
    breaks: 'can delay nothing any more once it is closed',
    caughtBy: 'caps.plain-and-stable',
    breakIt: forgetsAtClose,
  },
  {
    breaks: 'declares stats and has no stats()',
    caughtBy: 'caps.methods-match-flags',
    breakIt: (backend) => instead(backend, 'stats', () => undefined as never),
  },
  {
    breaks: 'has a cancel() that it does not declare',
    caughtBy: 'caps.methods-match-flags',
    breakIt: declares(() => ({ cancel: false })),
  },
  {
    breaks: 'takes batches of none',
    caughtBy: 'caps.sane',
    breakIt: declares(({ limits }) => ({ limits: { ...limits, batch: 0 } })),
  },
  {
    breaks: 'has names of 100 bytes, too short for those of parked queues',
    caughtBy: 'caps.sane',
    breakIt: declares(({ limits }) => ({ limits: { ...limits, nameBytes: 100 } })),
  },
  {
    breaks: 'says that it is up each time it is opened',
    caughtBy: 'life.open-twice-is-one-open',
    breakIt: (backend) => {
      let opened = 0;
      opening((env) => {
        if (++opened > 1) env.onState('up');
      })(backend);
    },
  },
  {
    breaks: 'says at each close() that it is closed',
    caughtBy: 'life.state-events',
    breakIt: saysClosedTwice,
  },
  {
    breaks: 'never says that it is up',
    caughtBy: 'life.state-events',
    breakIt: (backend) =>
      instead(backend, 'open', (open) => (env) => open({ ...env, onState: (state) => state !== 'up' && env.onState(state) })),
  },
  {
    breaks: 'can be closed once only',
    caughtBy: 'life.close-idempotent',
    breakIt: closedOnlyOnce,
  },
  {
    breaks: 'leaves a timer behind',
    caughtBy: 'life.close-leaves-nothing',
    breakIt: opening(({ clock }) => void clock.after(1000, () => {})),
  },
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
    breaks: 'sends what it holds at close() as if it were new',
    caughtBy: 'close.given-back-are-counted',
    breakIt: closing(async (close, { broker }) => {
      for (const queue of broker.queues({})) for (const item of queue.matching({})) item.handouts = 0;
      return close();
    }),
  },
];
