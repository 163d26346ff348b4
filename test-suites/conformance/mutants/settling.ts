import { backendError, type Delivery, type Failure } from 'wrkr/backend';
import type { BreakIt, Mutant } from './mutant.ts';
import { acks, consumes, instead, onConsumer, onQueues, type Queue, type Settle } from './wrap.ts';

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
];
