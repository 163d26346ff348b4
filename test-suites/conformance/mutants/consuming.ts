import type { Consumer, Delivery, Sink } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { type Consuming, consumes, instead, limits, onConsumer, sendsBatches, settles } from './wrap.ts';

const otherMax = (change: (max: number) => number): BreakIt =>
  consumes(({ options }) => ({ options: { ...options, max: change(options.max) } }));

/** What one consumer of a queue is handed, all others see as well. */
function broadcasts(): BreakIt {
  const sinks = new Map<string, Sink[]>();
  return consumes(({ queue, sink }) => {
    const those = sinks.get(queue) ?? [];
    sinks.set(queue, [...those, sink]);
    const deliver = (batch: readonly Delivery[]): void => sinks.get(queue)?.forEach((each) => void each.deliver(batch));
    return { sink: { deliver, lost: (batch, why) => sink.lost(batch, why) } };
  });
}

/** The first consumer of a queue is its only one. */
function servesTheFirst(): BreakIt {
  const known = new Set<string>();
  return consumes(({ queue, options }) => {
    const first = !known.has(queue);
    known.add(queue);
    return first ? {} : { options: { ...options, max: 0 } };
  });
}

/** Takes more than was asked for, and keeps it where nobody else can get it. */
const hoards: BreakIt = consumes(({ sink, options }) => {
  let out = 0;
  const deliver = (batch: readonly Delivery[]): void => {
    const room = Math.max(0, options.max - out);
    out += batch.length;
    if (room > 0) sink.deliver(batch.slice(0, room));
  };
  return { sink: { deliver, lost: (batch, why) => sink.lost(batch, why) }, options: { ...options, max: options.max + 10 } };
});

/** Takes a higher limit into account when something is settled. */
const raisesLater = onConsumer((consumer, { options }) => {
  let wanted = options.max;
  let apply = (): void => {};
  instead(consumer, 'limit', (limit) => {
    apply = () => limit(wanted);
    return (max) => {
      if (max < wanted) limit(max);
      wanted = max;
    };
  });
  instead(consumer, 'settle', (settle) => async (batch) => {
    apply();
    return settle(batch);
  });
});

/** Settlements free no room. */
const countsAllEver: BreakIt = (backend) => {
  let handed = 0;
  const count = consumes(({ sink, options }) => ({
    sink: {
      deliver: (batch) => {
        const room = Math.max(0, options.max - handed);
        handed += batch.length;
        sink.deliver(batch.slice(0, room));
      },
      lost: (batch, why) => sink.lost(batch, why),
    },
  }));
  count(backend);
};

function stops(
  change: (stop: Consumer['stop'], how: Consuming, backend: Breakable, consumer: Consumer) => Promise<void>,
): BreakIt {
  return onConsumer((consumer, how, backend) => instead(consumer, 'stop', (stop) => () => change(stop, how, backend, consumer)));
}

/** What was handed out by a consumer that has stopped is not known any more. */
const forgetsWhatIsOut: BreakIt = (backend) => {
  const stopped = new Set<string>();
  stops(async (stop, { queue }) => {
    stopped.add(queue);
    return stop();
  })(backend);
  settles((one, settle) => (stopped.has(one.d.queue) ? settle({ do: 'ack', d: { ...one.d } }) : settle(one)))(backend);
};

/** A queue whose consumer was stopped once is never served again. */
function staysStopped(): BreakIt {
  const stopped = new Set<string>();
  const stop = stops(async (real, { queue }) => {
    stopped.add(queue);
    return real();
  });
  const consume = consumes(({ queue, options }) => (stopped.has(queue) ? { options: { ...options, max: 0 } } : {}));
  return (backend) => {
    stop(backend);
    consume(backend);
  };
}

export const consuming: readonly Mutant[] = [
  {
    breaks: 'gives every consumer of a queue a copy',
    caughtBy: 'compete.each-event-to-one-consumer',
    breakIt: broadcasts(),
  },
  {
    breaks: 'serves the first consumer of a queue only',
    caughtBy: 'compete.idle-consumer-takes-over',
    breakIt: servesTheFirst(),
  },
  {
    breaks: 'serves nobody who comes later',
    caughtBy: 'compete.late-joiner-gets-work',
    breakIt: servesTheFirst(),
  },
  {
    breaks: 'fetches ten more than a consumer may have, out of reach of the others',
    caughtBy: 'compete.stuck-does-not-starve',
    breakIt: hoards,
  },
  {
    breaks: 'hands out whatever there is, however little was asked for',
    caughtBy: 'limit.never-more-than-max',
    breakIt: otherMax(() => 1000),
  },
  {
    breaks: 'hands out one at a time, however many are allowed',
    caughtBy: 'limit.never-more-than-max',
    breakIt: otherMax(() => 1),
  },
  {
    breaks: 'hands out one more than is allowed',
    caughtBy: 'limit.never-more-than-max',
    breakIt: otherMax((max) => max + 1),
  },
  {
    breaks: 'frees no room when something is settled',
    caughtBy: 'limit.never-more-than-max',
    breakIt: countsAllEver,
  },
  {
    breaks: 'counts what comes again for nothing',
    caughtBy: 'limit.holds-across-redelivery',
    breakIt: (backend) => {
      let max = 0;
      consumes(({ options }) => {
        max = options.max;
        return {};
      })(backend);
      onConsumer((consumer) =>
        instead(consumer, 'settle', (settle) => async (batch) => {
          for (const one of batch) if (one.do === 'move') consumer.limit(++max);
          return settle(batch);
        }),
      )(backend);
    },
  },
  {
    breaks: 'has a limit of 0 for none, as AMQP',
    caughtBy: 'limit.zero-pauses-and-resumes',
    breakIt: limits((max, limit) => limit(max === 0 ? 1000 : max)),
  },
  {
    breaks: 'does not go on after a limit of 0',
    caughtBy: 'limit.zero-pauses-and-resumes',
    breakIt: onConsumer((consumer) => {
      let paused = false;
      instead(consumer, 'limit', (limit) => (max) => {
        paused ||= max === 0;
        limit(paused ? 0 : max);
      });
    }),
  },
  {
    breaks: 'lowers no limit',
    caughtBy: 'limit.lowering-takes-effect',
    breakIt: limits((max, limit, { options }) => limit(Math.max(max, options.max))),
  },
  {
    breaks: 'keeps to the limit that it began with',
    caughtBy: 'limit.raising-takes-effect',
    breakIt: limits((max, limit, { options }) => limit(Math.min(max, options.max))),
  },
  {
    breaks: 'uses a raised limit after the next settlement',
    caughtBy: 'limit.raising-takes-effect',
    breakIt: raisesLater,
  },
  {
    breaks: 'stores the events of a batch from its end',
    caughtBy: 'order.fifo-single-consumer',
    breakIt: sendsBatches((batch, send) => send([...batch].reverse())),
  },
  {
    breaks: 'goes on to deliver after stop()',
    caughtBy: 'restart.same-queue-works',
    breakIt: stops(async () => {}),
  },
  {
    breaks: 'stops later than it says',
    caughtBy: 'stop.no-delivery-after-resolve',
    breakIt: stops(async (stop) => void setImmediate(() => void stop())),
  },
  {
    breaks: 'knows nothing of what is out after stop()',
    caughtBy: 'stop.held-still-settleable',
    breakIt: forgetsWhatIsOut,
  },
  {
    breaks: 'serves no queue again whose consumer was stopped',
    caughtBy: 'restart.same-queue-works',
    breakIt: staysStopped(),
  },
];
