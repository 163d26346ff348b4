import type { Ms, Outgoing } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { moves, NOTHING_SENT, onConsumer, sends, sendsBatches } from './wrap.ts';

/** Makes something else of the time that is left. */
const waits = (change: (ms: Ms) => Ms): BreakIt =>
  sends((out, backend) => {
    const now = backend.now();
    return out.at > now ? { ...out, at: now + change(out.at - now) } : out;
  });

/** Nothing comes before what was sent to its queue before it. */
const inTurn: BreakIt = (backend) => {
  let last = 0;
  sends((out) => {
    last = Math.max(last, out.at);
    return { ...out, at: last };
  })(backend);
};

/** What waits is in this process only, and lost with it. */
const keepsDelaysToItself: BreakIt = (backend) => {
  const send = backend.send.bind(backend);
  const later = (out: Outgoing): void => {
    backend.clock.after(out.at - backend.now(), () => void send([{ ...out, at: 0 }]).catch(() => {}));
  };
  sendsBatches(async (batch) => {
    const waiting = batch.filter(({ at }) => at > backend.now());
    for (const out of waiting) later(out);
    return send(batch.filter((out) => !waiting.includes(out)));
  })(backend);
};

/** A consumer that has moved something to later waits for it. */
const waitsForWhatItMoved: BreakIt = onConsumer((consumer, { options }, backend) => {
  const settle = consumer.settle.bind(consumer);
  consumer.settle = async (batch) => {
    const latest = Math.max(...batch.map((one) => (one.do === 'move' ? one.at : 0)));
    if (latest > backend.now()) {
      consumer.limit(0);
      backend.clock.after(latest - backend.now(), () => consumer.limit(options.max));
    }
    return settle(batch);
  };
});

/** Its subscribers are those of when it was published: `$relay` is where core parks it. */
const fansOutTooSoon: BreakIt = sendsBatches(async (batch, send, { broker }) => {
  const copies = batch.map((out) => {
    const waits = 'queue' in out.to && out.to.queue === '$relay';
    return waits ? broker.routes(out.name).map(({ name }) => ({ ...out, to: { queue: name } })) : [out];
  });
  await send(copies.flat());
  return NOTHING_SENT;
});

const DAY = 86_400_000;

export const delaying: readonly Mutant[] = [
  { breaks: 'sends what is delayed at once', caughtBy: 'delay.not-before-due-then-due', breakIt: waits(() => 0) },
  { breaks: 'waits for 95 % of the time', caughtBy: 'delay.not-before-due-then-due', breakIt: waits((ms) => ms * 0.95) },
  { breaks: 'is half a second early', caughtBy: 'delay.not-before-due-then-due', breakIt: waits((ms) => ms - 500) },
  { breaks: 'is a second late', caughtBy: 'delay.not-before-due-then-due', breakIt: waits((ms) => ms + 1000) },
  {
    breaks: 'takes milliseconds for seconds',
    caughtBy: 'delay.not-before-due-then-due',
    breakIt: waits((ms) => ms * 1000),
  },
  {
    breaks: 'drops what is due in the past',
    caughtBy: 'delay.past-due-is-now',
    breakIt: sends((out, backend) => (out.at > 0 && out.at < backend.now() ? undefined : out)),
  },
  {
    breaks: 'waits as long as a past time is past',
    caughtBy: 'delay.past-due-is-now',
    breakIt: sends((out, backend) => (out.at > 0 ? { ...out, at: backend.now() + Math.abs(out.at - backend.now()) } : out)),
  },
  {
    breaks: 'keeps what is delayed without its tid',
    caughtBy: 'delay.keeps-every-field',
    breakIt: sends((out, backend) => {
      const { tid: _, ...rest } = out;
      return out.at > backend.now() ? rest : out;
    }),
  },
  {
    breaks: 'notes in the headers how long an event waited',
    caughtBy: 'delay.keeps-every-field',
    breakIt: sends((out, backend) =>
      out.at > 0 ? { ...out, headers: { ...out.headers, 'x-delay': String(out.at - backend.now()) } } : out,
    ),
  },
  {
    breaks: 'lets what is due later, and in front, hold back the rest',
    caughtBy: 'delay.long-in-front-does-not-block-short',
    breakIt: inTurn,
  },
  {
    breaks: 'looks for what is due every five seconds, and takes it as it was sent',
    caughtBy: 'order.due-time-beats-arrival',
    breakIt: sends((out) => ({ ...out, at: Math.ceil(out.at / 5000) * 5000 })),
  },
  {
    breaks: 'sends at once what is due in more than a day',
    caughtBy: 'delay.long.7d',
    breakIt: waits((ms) => (ms > DAY ? 1 : ms)),
  },
  {
    breaks: 'has timers of 31 bits, which fire at once where the time is longer',
    caughtBy: 'delay.long.25d',
    breakIt: waits((ms) => (ms > 2 ** 31 - 1 ? 1 : ms)),
  },
  {
    breaks: 'has times to live of 32 bits, and none where the time is longer',
    caughtBy: 'delay.long.50d',
    breakIt: waits((ms) => (ms > 2 ** 32 - 1 ? 1 : ms)),
  },
  {
    breaks: 'forgets what is due in more than a year',
    caughtBy: 'delay.long.5y',
    breakIt: sends((out, backend) => (out.at > backend.now() + 365 * DAY ? undefined : out)),
  },
  { breaks: 'keeps delayed events in its process', caughtBy: 'delay.survives-restart', breakIt: keepsDelaysToItself },
  {
    breaks: 'moves to a later time at once',
    caughtBy: 'delay.move-with-at',
    breakIt: moves((move, settle) => settle({ ...move, at: 0 })),
  },
  {
    breaks: 'moves to a later time and never comes back to it',
    caughtBy: 'delay.move-with-at',
    breakIt: moves((move, settle, backend) => settle(move.at > backend.now() ? { ...move, at: 9e12 } : move)),
  },
  {
    breaks: 'waits for what was moved to later before it goes on',
    caughtBy: 'order.retry-does-not-block',
    breakIt: waitsForWhatItMoved,
  },
  {
    breaks: 'parks a delayed event in the queues that there are when it is published',
    caughtBy: 'delay.publish-fans-out-when-due',
    breakIt: fansOutTooSoon,
  },
  {
    breaks: 'stores a delayed event once for each queue',
    caughtBy: 'relay.row-is-one',
    breakIt: fansOutTooSoon,
  },
  {
    breaks: 'cancels nothing that is delayed and says it did',
    caughtBy: 'cancel.delayed-publish',
    breakIt: (backend: Breakable) => Object.defineProperty(backend, 'cancel', { value: async () => 1 }),
  },
  {
    breaks: 'drops what was moved to another queue',
    caughtBy: 'retry.exhausted-goes-dead',
    breakIt: moves((move, settle) => settle(move.queue === move.d.queue ? move : { d: move.d, do: 'ack' })),
  },
  {
    breaks: 'moves dead letters without what was noted about them',
    caughtBy: 'retry.exhausted-goes-dead',
    breakIt: moves((move, settle) => settle(move.queue === move.d.queue ? move : { ...move, headers: {} })),
  },
];
