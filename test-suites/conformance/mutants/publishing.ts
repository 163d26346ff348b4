import { backendError, type Outgoing, type Sent } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { all, consumes, delivers, instead, NOTHING_SENT, sends, sendsBatches } from './wrap.ts';

const asText = (body: Uint8Array): Uint8Array => new TextEncoder().encode(new TextDecoder().decode(body));

/** Stores what it was sent when it begins to consume. */
const storesLate: BreakIt = (backend) => {
  const waiting: Outgoing[] = [];
  instead(backend, 'consume', (consume) => async (queue, sink, options) => {
    await send(waiting.splice(0));
    return consume(queue, sink, options);
  });
  const send = backend.send.bind(backend);
  instead(backend, 'send', () => async (batch) => {
    waiting.push(...batch);
    return NOTHING_SENT;
  });
};

/** Reads what it delivers from the objects that it was given. */
const keepsTheCallersObjects: BreakIt = (backend) => {
  const given = new Map<string, Outgoing>();
  const keep = sends((out) => {
    given.set(out.id, out);
    return out;
  });
  const read = delivers((delivery) => {
    const { name, headers, body } = given.get(delivery.id) ?? delivery;
    return { ...delivery, name, headers, body };
  });
  all(keep, read)(backend);
};

/** Answers first and reads the array afterwards. */
const keepsTheCallersArray = sendsBatches(async (batch, send) => {
  queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => void send(batch))));
  return NOTHING_SENT;
});

/** Does something else with batches in which an item fails. */
function whereOneFails(answer: (sent: Sent, batch: readonly Outgoing[], backend: Breakable) => Promise<Sent> | Sent): BreakIt {
  return sendsBatches(async (batch, send, backend) => {
    const sent = await send(batch);
    return sent.failures.length === 0 ? sent : answer(sent, batch, backend);
  });
}

const stopsAtTheFirstFailure = sendsBatches(async (batch, send) => {
  for (const [index, out] of batch.entries()) {
    const { failures } = await send([out]);
    if (failures[0]) return { ...NOTHING_SENT, failures: [{ ...failures[0], index }] };
  }
  return NOTHING_SENT;
});

const anIdReplacesItsLike = sendsBatches(async (batch, send, backend) => {
  const fresh: Outgoing[] = [];
  for (const out of batch) if ((await backend.cancel({ id: out.id })) === 0) fresh.push(out);
  return send(fresh);
});

export const publishing: readonly Mutant[] = [
  {
    breaks: 'drops the tid',
    caughtBy: 'publish.delivers-every-field',
    breakIt: sends(({ tid: _, ...out }) => out),
  },
  {
    breaks: 'uses a key and does not show it',
    caughtBy: 'publish.delivers-the-key',
    breakIt: delivers(({ key: _, ...delivery }) => delivery),
  },
  {
    breaks: 'gives what has no key the id for one',
    caughtBy: 'publish.delivers-the-key',
    breakIt: delivers((delivery) => ({ ...delivery, key: delivery.key ?? delivery.id })),
  },
  {
    breaks: 'drops the headers',
    caughtBy: 'publish.delivers-every-field',
    breakIt: sends((out) => ({ ...out, headers: {} })),
  },
  {
    breaks: 'takes the body for text',
    caughtBy: 'publish.delivers-every-field',
    breakIt: sends((out) => ({ ...out, body: asText(out.body) })),
  },
  {
    breaks: 'makes ids of its own',
    caughtBy: 'publish.delivers-every-field',
    breakIt: sends((out) => ({ ...out, id: `own-${out.id}` })),
  },
  {
    breaks: 'has the time of arrival for that of publishing',
    caughtBy: 'publish.delivers-every-field',
    breakIt: sends((out, backend) => ({ ...out, sentAt: backend.now() })),
  },
  {
    breaks: 'keeps due times in seconds',
    caughtBy: 'publish.delivers-every-field',
    breakIt: delivers((delivery) => ({ ...delivery, at: Math.floor(delivery.at / 1000) })),
  },
  {
    breaks: 'counts hand-outs from nothing',
    caughtBy: 'publish.delivers-every-field',
    breakIt: delivers((delivery) => ({ ...delivery, handouts: delivery.handouts - 1 })),
  },
  {
    breaks: 'names the event after its queue',
    caughtBy: 'publish.delivers-every-field',
    breakIt: delivers((delivery) => ({ ...delivery, name: delivery.queue })),
  },
  {
    breaks: 'resolves before the event is where others see it',
    caughtBy: 'publish.stored-before-resolve',
    breakIt: storesLate,
  },
  {
    breaks: 'refuses an event that nobody subscribed',
    caughtBy: 'publish.no-binding-is-not-an-error',
    breakIt: sendsBatches(async (batch, send, { broker }) => {
      const sent = await send(batch);
      const lonely = batch.findIndex(({ to }) => 'event' in to && broker.routes(to.event).length === 0);
      if (lonely < 0) return sent;
      return { ...sent, failures: [{ index: lonely, error: backendError('invalid', 'no route') }] };
    }),
  },
  {
    breaks: 'keeps an event that nobody subscribed for whoever comes',
    caughtBy: 'publish.no-binding-is-not-an-error',
    breakIt: (backend) => {
      const lonely: Outgoing[] = [];
      instead(backend, 'bind', (bind) => async (batch) => {
        await bind(batch);
        await backend.send(lonely.splice(0));
      });
      sends((out) => {
        if ('event' in out.to && backend.broker.routes(out.to.event).length === 0) lonely.push(out);
        return out;
      })(backend);
    },
  },
  {
    breaks: 'keeps the objects of its caller',
    caughtBy: 'publish.caller-may-reuse-buffers',
    breakIt: keepsTheCallersObjects,
  },
  {
    breaks: 'keeps the array of its caller',
    caughtBy: 'publish.caller-may-reuse-buffers',
    breakIt: keepsTheCallersArray,
  },
  {
    breaks: 'fails all items of a batch where one is bad',
    caughtBy: 'publish.partial-failure-is-per-item',
    breakIt: whereOneFails(({ failures }, batch) => ({
      ...NOTHING_SENT,
      failures: batch.map((_, index) => ({ index, error: failures[0]?.error ?? backendError('internal', 'unknown') })),
    })),
  },
  {
    breaks: 'stops at the first bad item of a batch',
    caughtBy: 'publish.partial-failure-is-per-item',
    breakIt: stopsAtTheFirstFailure,
  },
  {
    breaks: 'numbers the failures, not the items',
    caughtBy: 'publish.partial-failure-is-per-item',
    breakIt: whereOneFails((sent) => ({ ...sent, failures: sent.failures.map(({ error }, index) => ({ index, error })) })),
  },
  {
    breaks: 'drops what has no queue and says nothing',
    caughtBy: 'publish.partial-failure-is-per-item',
    breakIt: whereOneFails(() => NOTHING_SENT),
  },
  {
    breaks: 'does not know whether a refused item was stored',
    caughtBy: 'publish.partial-failure-is-per-item',
    breakIt: whereOneFails((sent) => ({
      ...sent,
      failures: sent.failures.map(({ index }) => ({
        index,
        error: backendError('invalid', 'no such queue', { applied: 'maybe' }),
      })),
    })),
  },
  {
    breaks: 'takes one event less than it declares for a batch',
    caughtBy: 'publish.batch-at-limit',
    breakIt: sendsBatches(async (batch, send, { capabilities }) => send(batch.slice(0, capabilities.limits.batch - 1))),
  },
  {
    breaks: 'forgets what is sent while it sends',
    caughtBy: 'publish.concurrent',
    breakIt: (backend) => {
      let busy = false;
      sendsBatches(async (batch, send) => {
        if (busy) return NOTHING_SENT;
        busy = true;
        await new Promise<void>((resolve) => setImmediate(resolve));
        busy = false;
        return send(batch);
      })(backend);
    },
  },
  {
    breaks: 'says of every event that nobody subscribed it',
    caughtBy: 'publish.unrouted-is-true',
    breakIt: (backend) => {
      let say = (_: { readonly id: string; readonly name: string }): void => {};
      instead(backend, 'open', (open) => (env) => {
        say = (event) => env.onUnrouted?.(event);
        return open(env);
      });
      sends((out) => {
        say(out);
        return out;
      })(backend);
    },
  },
  {
    breaks: 'refuses an empty batch, as some drivers do',
    caughtBy: 'publish.empty-batch',
    breakIt: sendsBatches(async (batch, send) => {
      if (batch.length === 0) throw backendError('invalid', 'the batch must not be empty');
      return send(batch);
    }),
  },
  {
    breaks: 'takes an id that comes again for a correction, and stores it nowhere',
    caughtBy: 'publish.same-id-again',
    breakIt: anIdReplacesItsLike,
  },
  {
    breaks: 'delivers what it was sent to the queue of another',
    caughtBy: 'compete.queues-do-not-mix',
    breakIt: (backend) => {
      let first: string | undefined;
      consumes(({ queue }) => {
        first ??= queue;
        return { queue: first };
      })(backend);
    },
  },
];
