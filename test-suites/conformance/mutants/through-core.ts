import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { acks, all, consumes, delivers, extendsLeases, instead, moves, sends, sendsBatches } from './wrap.ts';

/** What is out goes when its holder dies. */
const forgetsHeldAtCrash: BreakIt = (backend) =>
  instead(backend, 'crash', (crash) => () => {
    for (const queue of backend.broker.queues({})) {
      for (const item of [...queue.matching({})]) if (item.holder) queue.remove(item);
    }
    crash();
  });

const losesWithinItsQueue = moves((move, settle) => settle(move.queue === move.d.queue ? { d: move.d, do: 'ack' } : move));

const losesOneIn = (many: number): BreakIt => {
  let sent = 0;
  return sends((out) => (++sent % many === 0 ? undefined : out));
};

const forgetsOneAckIn = (many: number): BreakIt => {
  let acked = 0;
  return acks((d, settle) => (++acked % many === 0 ? Promise.resolve([]) : settle({ d, do: 'ack' })));
};

const changes = (change: (to: Parameters<Breakable['change']>[1]) => Parameters<Breakable['change']>[1]): BreakIt => {
  return (backend) => instead(backend, 'change', (real) => (filter, to) => real(filter, change(to)));
};

/** What it should change is away, one in ten. */
const losesChanged: BreakIt = (backend) => {
  let changed = 0;
  instead(
    backend,
    'change',
    (change) => async (filter, to) => (++changed % 10 === 0 ? await backend.cancel(filter) : await change(filter, to)) ?? 0,
  );
};

/** Has one connection, for handlers and for what they send. */
const sendsWhenNothingIsOut: BreakIt = sendsBatches(async (batch, send, backend) => {
  const held = [...backend.broker.queues({})].some((queue) => (queue.stats(backend.now()).held ?? 0) > 0);
  return held ? new Promise(() => {}) : send(batch);
});

const tellsNobody = all(
  consumes(({ sink }) => ({ sink: { deliver: (batch) => sink.deliver(batch), lost: () => {} } })),
  extendsLeases(async () => []),
);

/** Broken in what core relies on. */
export const throughCore: readonly Mutant[] = [
  { breaks: 'loses one event in 20', caughtBy: 'history.seed-1', breakIt: losesOneIn(20) },
  { breaks: 'forgets an ack in ten', caughtBy: 'history.seed-2', breakIt: forgetsOneAckIn(10) },
  { breaks: 'loses what it holds when it dies', caughtBy: 'history.seed-3', breakIt: forgetsHeldAtCrash },
  { breaks: 'acks nothing', caughtBy: 'core.publish-handle-ack', breakIt: acks(async () => []) },
  {
    breaks: 'takes the name of an event for its id',
    caughtBy: 'followup.ids-do-not-collide-across-queues',
    breakIt: sends((out) => ({ ...out, id: out.name })),
  },
  {
    breaks: 'stores everything twice',
    caughtBy: 'followup.once-for-a-retried-handler',
    breakIt: sendsBatches((batch, send) => send(batch.flatMap((out) => [out, { ...out }]))),
  },
  {
    breaks: 'loses what is given back to its queue',
    caughtBy: 'stop.graceful',
    breakIt: losesWithinItsQueue,
  },
  {
    breaks: 'loses what is moved within its queue',
    caughtBy: 'retry.shutdown-is-not-an-attempt',
    breakIt: losesWithinItsQueue,
  },
  {
    breaks: 'hands out one at a time',
    caughtBy: 'handler.concurrency',
    breakIt: consumes(({ options }) => ({ options: { ...options, max: Math.min(1, options.max) } })),
  },
  {
    breaks: 'loses what is moved within its queue',
    caughtBy: 'handler.unknown-event-keeps-its-attempts',
    breakIt: losesWithinItsQueue,
  },
  {
    breaks: 'sends nothing while an event is out',
    caughtBy: 'publish.from-inside-a-handler',
    breakIt: sendsWhenNothingIsOut,
  },
  {
    breaks: 'has bodies in ASCII',
    caughtBy: 'payload.codec',
    breakIt: sends((out) => ({ ...out, body: Buffer.from(Buffer.from(out.body).toString('ascii')) })),
  },
  {
    breaks: 'loses one in ten of what it gives another time',
    caughtBy: 'schedule.reschedule-never-loses',
    breakIt: losesChanged,
  },
  {
    breaks: 'loses what waits in several steps after the first',
    caughtBy: 'delay.beyond-max-hops',
    breakIt: losesWithinItsQueue,
  },
  {
    breaks: 'redrives a dead letter with what was noted about it',
    caughtBy: 'dead.redrive',
    breakIt: changes(({ headers: _, ...to }) => to),
  },
  {
    breaks: 'counts every hand-out as the first',
    caughtBy: 'crash.neighbours-are-not-blamed',
    breakIt: delivers((d) => ({ ...d, handouts: 1 })),
  },
  {
    breaks: 'retries at once, whatever the back-off',
    caughtBy: 'retry.backoff-honoured',
    breakIt: moves((move, settle) => settle({ ...move, at: 0 })),
  },
  {
    breaks: 'loses what dies',
    caughtBy: 'dead.stop-mid-move',
    breakIt: moves((move, settle) => settle(move.queue === move.d.queue ? move : { d: move.d, do: 'ack' })),
  },
  {
    breaks: 'tells nobody that a lease was lost, neither by lost() nor by extend()',
    caughtBy: 'lease.handler-aborted-on-loss',
    breakIt: tellsNobody,
  },
];
