import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { BROKER } from './mutant.ts';
import { consumes, instead, limits, NOTHING_SENT, onConsumer, sendsBatches } from './wrap.ts';

type State = 'up' | 'down' | 'closed';

/** Says more or less of its connection than there is to say. */
const says = (change: (state: State, nth: number) => readonly State[]): BreakIt => {
  return (backend) =>
    instead(backend, 'open', (open) => (env) => {
      let count = 0;
      return open({ ...env, onState: (state) => change(state, ++count).forEach((one) => void env.onState(one)) });
    });
};

/** Sends in another way while the connection is down. */
const sendsWhileDown = (send: () => Promise<typeof NOTHING_SENT>): BreakIt =>
  sendsBatches(async (batch, real, backend) => (backend.connected ? real(batch) : send()));

/** Does this to its consumers when the connection is back. */
const whenBack = (max: number): BreakIt => {
  return (backend) =>
    onConsumer((consumer) =>
      instead(backend, 'restore', (restore) => () => {
        restore();
        consumer.limit(max);
      }),
    )(backend);
};

/** Everything that is held, by whomever. */
function giveAllBack({ broker }: Breakable): void {
  for (const queue of broker.queues({})) {
    for (const { holder } of [...queue.matching({})]) if (holder) queue.giveBack(holder);
  }
}

/** Confirms first, and stores when it has nothing else to do. */
const confirmsTooSoon = sendsBatches(async (batch, send) => {
  setImmediate(() => void send(batch).catch(() => {}));
  return NOTHING_SENT;
});

export const cutting: readonly Mutant[] = [
  {
    breaks: 'does not notice that its connection is lost',
    caughtBy: 'cut.says-down-then-up',
    breakIt: says((state) => (state === 'down' ? [] : [state])),
  },
  {
    breaks: 'says twice that it is up again',
    caughtBy: 'cut.says-down-then-up',
    breakIt: says((state, nth) => (nth > 1 && state === 'up' ? [state, state] : [state])),
  },
  {
    breaks: 'leaves a send without an answer while the connection is down',
    caughtBy: 'cut.calls-are-answered',
    breakIt: sendsWhileDown(() => new Promise(() => {})),
  },
  {
    breaks: 'says that it sent what it could not send',
    caughtBy: 'cut.calls-are-answered',
    breakIt: sendsWhileDown(async () => NOTHING_SENT),
  },
  {
    breaks: 'says that it settled what it could not settle',
    caughtBy: 'cut.settle-while-down',
    breakIt: onConsumer((consumer, _, backend) =>
      instead(consumer, 'settle', (settle) => async (batch) => (backend.connected ? settle(batch) : [])),
    ),
  },
  { breaks: 'forgets its consumers with the connection', caughtBy: 'cut.consumers-go-on', breakIt: whenBack(0) },
  { breaks: 'forgets their limits with the connection', caughtBy: 'cut.consumers-go-on', breakIt: whenBack(1000) },
  {
    breaks: 'does not say that leases were lost with their connection',
    caughtBy: 'cut.lost-is-said',
    declares: BROKER,
    breakIt: consumes(({ sink }) => ({ sink: { deliver: (batch) => sink.deliver(batch), lost: () => {} } })),
  },
  {
    breaks: 'ends timed leases with the connection',
    caughtBy: 'cut.timed-leases-hold',
    breakIt: (backend) =>
      instead(backend, 'cut', (cut) => () => {
        cut();
        giveAllBack(backend);
      }),
  },
  {
    breaks: 'forgets a limit that it was told while the connection was down',
    caughtBy: 'cut.limit-and-stop-while-down',
    breakIt: (backend) => limits((max, limit) => backend.connected && limit(max))(backend),
  },
  {
    breaks: 'cannot stop a consumer while the connection is down',
    caughtBy: 'cut.limit-and-stop-while-down',
    breakIt: onConsumer((consumer, _, backend) =>
      instead(consumer, 'stop', (stop) => async () => (backend.connected ? stop() : new Promise(() => {}))),
    ),
  },
  {
    breaks: 'confirms what it has not yet stored',
    caughtBy: 'cut.confirmed-is-stored',
    breakIt: confirmsTooSoon,
  },
  {
    breaks: 'waits for its connection before it closes',
    caughtBy: 'cut.close-while-down',
    breakIt: (backend) => instead(backend, 'close', (close) => () => (backend.connected ? close() : new Promise(() => {}))),
  },
];
