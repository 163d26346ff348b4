import { backendError, type Capabilities } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { instead, NOTHING_SENT, onConsumer, sendsBatches } from './wrap.ts';

/** Declares something else. */
function declares(change: (capabilities: Capabilities) => Partial<Capabilities>): BreakIt {
  return (backend) => instead(backend, 'capabilities', (real) => ({ ...real, ...change(real) }));
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
    breaks: 'has no room for bodies in a batch',
    caughtBy: 'caps.sane',
    breakIt: declares(({ limits }) => ({ limits: { ...limits, batchBytes: 0 } })),
  },
  {
    breaks: 'has headers of 1 kB, too short for what core notes in them',
    caughtBy: 'caps.sane',
    breakIt: declares(({ limits }) => ({ limits: { ...limits, headerBytes: 1024 } })),
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
    breaks: 'opens again after close()',
    caughtBy: 'life.closed-for-good',
    breakIt: (backend) => {
      let closed = false;
      closing(async (close) => {
        closed = true;
        return close();
      })(backend);
      instead(backend, 'open', (open) => async (env) => (closed ? undefined : open(env)));
    },
  },
  {
    breaks: 'has no time before it is open',
    caughtBy: 'life.now-any-time',
    breakIt: (backend) => instead(backend, 'now', (now) => () => (backend.connected ? now() : Number.NaN)),
  },
  {
    breaks: 'answers no call that was under way when it was closed',
    caughtBy: 'life.close-while-busy',
    breakIt: onConsumer((consumer, _, backend) =>
      instead(consumer, 'settle', (settle) => async (batch) => {
        await new Promise<void>((resolve) => setImmediate(resolve));
        return backend.connected ? settle(batch) : new Promise(() => {});
      }),
    ),
  },
  {
    breaks: 'closes all of its process with one',
    caughtBy: 'life.two-in-one-process',
    breakIt: (() => {
      const all = new Set<Breakable>();
      return (backend) => {
        all.add(backend);
        closing(async (close) => {
          all.delete(backend);
          await close();
          await Promise.all([...all].splice(0).map((other) => other.close()));
        })(backend);
      };
    })(),
  },
  {
    breaks: 'sends nothing more after a send that was refused',
    caughtBy: 'life.rejected-call-leaves-usable',
    breakIt: (backend) => {
      let broken = false;
      sendsBatches(async (batch, send) => {
        if (broken) return NOTHING_SENT;
        const sent = await send(batch);
        broken = sent.failures.length > 0;
        return sent;
      })(backend);
    },
  },
];
