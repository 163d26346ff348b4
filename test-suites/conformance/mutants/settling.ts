import { backendError, type Delivery, type Failure } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { acks, consumes, delivers, instead, type Move, moves, onConsumer, onQueues, type Queue, type Settle } from './wrap.ts';

const DONE: readonly Failure[] = [];

/** What is out, oldest first, as the one consumer sees it. */
function tracks(change: (d: Delivery, out: Delivery[], settle: Settle) => Promise<readonly Failure[]>): BreakIt {
  return (backend) => {
    const out: Delivery[] = [];
    acks((d, settle) => change(d, out, settle))(backend);
    consumes(({ sink }) => ({
      sink: {
        deliver: (batch) => {
          out.push(...batch);
          sink.deliver(batch);
        },
        lost: (batch, why) => sink.lost(batch, why),
      },
    }))(backend);
  };
}

const acksAllUpTo = tracks(async (d, out, settle) => {
  for (const one of out.splice(0, out.indexOf(d) + 1)) await settle({ d: one, do: 'ack' });
  return DONE;
});

const acksTheOldest = tracks((d, out, settle) => settle({ d: out.shift() ?? d, do: 'ack' }));

/** As a channel that the server closes: the consumer gets nothing more. */
const diesOfASecondAck = onConsumer((consumer) => {
  instead(consumer, 'settle', (settle) => async (batch) => {
    const failures = await settle(batch);
    if (failures.length > 0) consumer.limit(0);
    return failures;
  });
});

const failsAsOne = onConsumer((consumer) => {
  instead(consumer, 'settle', (settle) => async (batch) => {
    const [first] = await settle(batch);
    return first ? batch.map((_, index) => ({ index, error: first.error })) : [];
  });
});

const stopsAtAFailure = onConsumer((consumer) => {
  instead(consumer, 'settle', (settle) => async (batch) => {
    for (const [index, one] of batch.entries()) {
      const [failure] = await settle([one]);
      if (failure) return [{ ...failure, index }];
    }
    return [];
  });
});

/** Whoever holds it. */
const anyHolder: (queue: Queue) => void = (queue) =>
  instead(queue, 'heldBy', (heldBy) => (consumer, d, now) => {
    const { holder } = d as Delivery & { readonly holder?: typeof consumer };
    return heldBy(holder ?? consumer, d, now);
  });

/** A move is an ack and something that is sent instead. */
function movesBySending(send: (move: Move, backend: Breakable) => Promise<unknown>): BreakIt {
  return moves(async (move, settle, backend) => {
    const failures = await settle({ d: move.d, do: 'ack' });
    if (failures.length === 0) await send(move, backend);
    return failures;
  });
}

const outgoing = ({ d, queue, at, headers }: Move) => ({ ...d, to: { queue }, at, headers }) as const;

const resends = (change: (move: Move) => object): BreakIt =>
  movesBySending((move, backend) => backend.send([{ ...outgoing(move), ...change(move) }]));

const missing = ({ queue }: Move, { broker }: Breakable): boolean => broker.queue(queue) === undefined;

/** Hand-outs of an id, over all its moves. */
const countsOn: BreakIt = (backend) => {
  const counts = new Map<string, number>();
  delivers((d) => {
    const handouts = (counts.get(d.id) ?? 0) + 1;
    counts.set(d.id, handouts);
    return { ...d, handouts };
  })(backend);
};

const movesTwentyTimes: BreakIt = (backend) => {
  let moved = 0;
  moves((move, settle) => settle(++moved > 20 ? { d: move.d, do: 'ack' } : move))(backend);
};

export const settling: readonly Mutant[] = [
  { breaks: 'acks nothing', caughtBy: 'ack.gone-for-good', breakIt: acks(async () => DONE) },
  {
    breaks: 'puts what was acked back, as new',
    caughtBy: 'ack.gone-for-good',
    breakIt: acks((d, settle, backend) =>
      settle({ d, do: 'move', queue: d.queue, at: backend.now() + 60_000, headers: d.headers }),
    ),
  },
  {
    breaks: 'acks what came before as well',
    caughtBy: 'ack.only-the-named-one',
    breakIt: acksAllUpTo,
  },
  {
    breaks: 'acks the oldest, whichever is named',
    caughtBy: 'ack.out-of-order',
    breakIt: acksTheOldest,
  },
  {
    breaks: 'ends the consumer that acks twice',
    caughtBy: 'ack.twice-is-stale-and-harmless',
    breakIt: diesOfASecondAck,
  },
  {
    breaks: 'fails all settlements of a batch where one is stale',
    caughtBy: 'ack.twice-is-stale-and-harmless',
    breakIt: failsAsOne,
  },
  {
    breaks: 'says that a second ack can never succeed',
    caughtBy: 'ack.twice-is-stale-and-harmless',
    breakIt: acks(async (d, settle) =>
      (await settle({ d, do: 'ack' })).map(({ index }) => ({ index, error: backendError('invalid', 'unknown token') })),
    ),
  },
  {
    breaks: 'stops at the first settlement of a batch that fails',
    caughtBy: 'settle.mixed-batch',
    breakIt: stopsAtAFailure,
  },
  {
    breaks: 'lets anybody settle what somebody holds',
    caughtBy: 'settle.from-another-consumer',
    breakIt: onQueues(anyHolder),
  },
  {
    breaks: 'loses what is moved',
    caughtBy: 'move.now-redelivers',
    breakIt: moves((move, settle) => settle({ d: move.d, do: 'ack' })),
  },
  {
    breaks: 'moves an event with the headers that it had',
    caughtBy: 'move.now-redelivers',
    breakIt: moves((move, settle) => settle({ ...move, headers: move.d.headers })),
  },
  {
    breaks: 'merges the headers of a move with those before',
    caughtBy: 'move.now-redelivers',
    breakIt: moves((move, settle) => settle({ ...move, headers: { ...move.d.headers, ...move.headers } })),
  },
  {
    breaks: 'moves an event without its body',
    caughtBy: 'move.now-redelivers',
    breakIt: resends(() => ({ body: new Uint8Array(0) })),
  },
  {
    breaks: 'moves an event under a new id',
    caughtBy: 'move.now-redelivers',
    breakIt: resends(({ d }) => ({ id: `${d.id}-again` })),
  },
  {
    breaks: 'takes a move for the time of publishing',
    caughtBy: 'move.now-redelivers',
    breakIt: resends(() => ({ sentAt: 1_900_000_000_000 })),
  },
  {
    breaks: 'moves an event without its tid',
    caughtBy: 'move.now-redelivers',
    breakIt: movesBySending((move, backend) => {
      const { tid: _, ...out } = outgoing(move);
      return backend.send([out]);
    }),
  },
  {
    breaks: 'counts hand-outs on over a move',
    caughtBy: 'move.resets-handouts',
    breakIt: countsOn,
  },
  {
    breaks: 'drops what is moved for the 21st time, as quorum queues',
    caughtBy: 'move.many-times',
    breakIt: movesTwentyTimes,
  },
  {
    breaks: 'retries an event in all queues that it went to',
    caughtBy: 'move.stays-in-its-queue',
    breakIt: movesBySending((move, backend) => backend.send([{ ...outgoing(move), to: { event: move.d.name } }])),
  },
  {
    breaks: 'leaves the event in the queue that it was moved from',
    caughtBy: 'move.to-other-queue-leaves-none-behind',
    breakIt: moves(async (move, settle, backend) => {
      await backend.send([outgoing(move)]);
      return settle({ ...move, queue: move.d.queue });
    }),
  },
  {
    breaks: 'moves an event to the parked queue without the reason',
    caughtBy: 'move.to-other-queue-leaves-none-behind',
    breakIt: moves((move, settle) => settle(move.queue === move.d.queue ? move : { ...move, headers: move.d.headers })),
  },
  {
    breaks: 'loses what is moved to where no queue is',
    caughtBy: 'move.to-missing-queue-keeps-the-original',
    breakIt: moves(async (move, settle, backend) => {
      const failures = await settle(move);
      if (missing(move, backend)) await settle({ d: move.d, do: 'ack' });
      return failures;
    }),
  },
  {
    breaks: 'makes the queue that is missing, with nobody to look after it',
    caughtBy: 'move.to-missing-queue-keeps-the-original',
    breakIt: moves(async (move, settle, backend) => {
      if (missing(move, backend)) await backend.bind([{ queue: move.queue, kind: 'work' }]);
      return settle(move);
    }),
  },
  {
    breaks: 'has room for one event of an id in a parked queue',
    caughtBy: 'move.same-id-twice-in-one-queue',
    breakIt: moves(async (move, settle, backend) => {
      const { items } = await backend.browse({ queue: move.queue, id: move.d.id }, { limit: 1 });
      return settle(items.length > 0 && move.queue !== move.d.queue ? { d: move.d, do: 'ack' } : move);
    }),
  },
];
