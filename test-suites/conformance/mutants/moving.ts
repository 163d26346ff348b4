import type { Delivery } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { delivers, type Move, moves, sends } from './wrap.ts';

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

/** An id that was in a queue once is there for ever. */
const remembersIds: BreakIt = (backend) => {
  const known = new Set<string>();
  sends((out) => {
    const place = 'queue' in out.to ? `${out.to.queue} ${out.id}` : undefined;
    if (place === undefined || known.has(place)) return place === undefined ? out : undefined;
    known.add(place);
    return out;
  })(backend);
};

/** Now and then a hand-out shows its event as it was the last time. */
const readsTooSoon: BreakIt = (backend) => {
  const before = new Map<string, Delivery>();
  let count = 0;
  delivers((d) => {
    const old = before.get(d.id);
    before.set(d.id, d);
    return old && ++count % 25 === 0 ? { ...d, headers: old.headers } : d;
  })(backend);
};

export const moving: readonly Mutant[] = [
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
    breaks: 'stores a copy of what it moves and leaves the original with its holder',
    caughtBy: 'move.leaves-one-copy',
    breakIt: moves(async (move, _, backend) => {
      const { failures } = await backend.send([outgoing(move)]);
      return failures;
    }),
  },
  {
    breaks: 'takes an id for one that it has, because it was there before',
    caughtBy: 'move.frees-its-id',
    breakIt: remembersIds,
  },
  {
    breaks: 'reads what it hands out before it has it for itself',
    caughtBy: 'move.races-claim',
    breakIt: readsTooSoon,
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
