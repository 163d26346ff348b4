import { type Backend, type Binding, backendError } from 'wrkr/backend';
import type { BreakIt, Mutant } from './mutant.ts';
import { fits, routes } from './patterns.ts';
import { acks, instead, sends, sendsBatches } from './wrap.ts';

/** Unbinds something else. */
function unbinds(change: (batch: readonly Binding[], unbind: Backend['unbind']) => Promise<void>): BreakIt {
  return (backend) => instead(backend, 'unbind', (unbind) => (batch) => change(batch, unbind));
}

/** Has each binding as often as it was made. */
const countsBindings: BreakIt = (backend) => {
  const made: Binding[] = [];
  instead(backend, 'bind', (bind) => (batch) => {
    made.push(...batch);
    return bind(batch);
  });
  sendsBatches((batch, send) => {
    const copies = batch.map(({ to }) => made.filter(({ pattern }) => 'event' in to && pattern === to.event));
    return send(batch.flatMap((out, i) => copies[i]?.map(({ queue }) => ({ ...out, to: { queue } })) ?? []));
  })(backend);
};

/** Remembers the queues of a name from when it was first published. */
const remembersRoutes: BreakIt = (backend) => {
  const known = new Map<string, readonly string[]>();
  sendsBatches((batch, send, { broker }) => {
    const copies = batch.map((out) => {
      if (!('event' in out.to)) return [out];
      const queues = known.get(out.to.event) ?? broker.routes(out.to.event).map(({ name }) => name);
      known.set(out.to.event, queues);
      return queues.map((queue) => ({ ...out, to: { queue } }));
    });
    return send(copies.flat());
  })(backend);
};

export const fanOut: readonly Mutant[] = [
  {
    breaks: 'gives an event to one queue of several',
    caughtBy: 'fanout.each-queue-gets-one-copy',
    breakIt: routes(fits, (queues) => queues.slice(0, 1)),
  },
  {
    breaks: 'gives each copy an id of its own',
    caughtBy: 'fanout.each-queue-gets-one-copy',
    breakIt: (backend) => {
      let copies = 0;
      sends((out) => ({ ...out, id: `${out.id}-${++copies}` }))(backend);
      routes(fits)(backend);
    },
  },
  {
    breaks: 'acks all copies of an event with one',
    caughtBy: 'fanout.copies-settle-independently',
    breakIt: acks(async (d, settle, backend) => {
      const failures = await settle({ d, do: 'ack' });
      await backend.cancel({ id: d.id });
      return failures;
    }),
  },
  {
    breaks: 'makes a copy for each time that a binding was made',
    caughtBy: 'fanout.bind-twice-one-copy',
    breakIt: countsBindings,
  },
  {
    breaks: 'makes a copy for each binding of a queue that fits',
    caughtBy: 'bind.overlapping-patterns-one-copy',
    breakIt: routes(fits, (queues) => queues),
  },
  {
    breaks: 'knows no wildcards',
    caughtBy: 'fanout.wildcards-stand-for-words',
    breakIt: routes((pattern, event) => pattern === event),
  },
  {
    breaks: 'has * for any number of words',
    caughtBy: 'fanout.wildcards-stand-for-words',
    breakIt: routes((pattern, event) => fits(pattern.replaceAll('*', '*.#'), event)),
  },
  {
    breaks: 'has # for one word or more, never for none',
    caughtBy: 'fanout.wildcards-stand-for-words',
    breakIt: routes((pattern, event) => fits(pattern.replaceAll('#', '*.#'), event)),
  },
  {
    breaks: 'has # at the end only, as MQTT',
    caughtBy: 'fanout.wildcards-stand-for-words',
    breakIt: routes((pattern, event) => !pattern.includes('#.') && fits(pattern, event)),
  },
  {
    breaks: 'has * and # for exactly one word',
    caughtBy: 'fanout.wildcards-stand-for-words',
    breakIt: routes((pattern, event) => fits(pattern.replaceAll('#', '*'), event)),
  },
  {
    breaks: 'compares names by their beginning',
    caughtBy: 'fanout.other-event-not-delivered',
    breakIt: routes((pattern, event) => event.startsWith(pattern)),
  },
  {
    breaks: 'takes a name for the beginning of a pattern',
    caughtBy: 'fanout.other-event-not-delivered',
    breakIt: routes((pattern, event) => pattern.startsWith(event)),
  },
  {
    breaks: 'compares names in lower case',
    caughtBy: 'fanout.other-event-not-delivered',
    breakIt: routes((pattern, event) => fits(pattern.toLowerCase(), event.toLowerCase())),
  },
  {
    breaks: 'has patterns for regular expressions',
    caughtBy: 'fanout.other-event-not-delivered',
    breakIt: routes((pattern, event) => new RegExp(`^${pattern}$`).test(event)),
  },
  {
    breaks: 'has a slash for a dot, as MQTT',
    caughtBy: 'fanout.other-event-not-delivered',
    breakIt: routes((pattern, event) => fits(pattern, event.replaceAll('/', '.'))),
  },
  {
    breaks: 'drops what is not a letter from names',
    caughtBy: 'fanout.other-event-not-delivered',
    breakIt: routes((pattern, event) => fits(pattern, event.replaceAll(/[^\w.]/g, ''))),
  },
  {
    breaks: 'unbinds all queues of a pattern',
    caughtBy: 'fanout.unbind-one-of-two',
    breakIt: (backend) =>
      unbinds(async (batch, unbind) => {
        const bindings = await backend.bindings();
        await unbind(bindings.filter(({ pattern }) => batch.some((one) => one.pattern === pattern)));
      })(backend),
  },
  {
    breaks: 'unbinds later, as with bindings that are read every two seconds',
    caughtBy: 'fanout.unbind-stops-new-keeps-old',
    breakIt: (backend) => unbinds(async (batch, unbind) => void backend.clock.after(2000, () => void unbind(batch)))(backend),
  },
  {
    breaks: 'refuses to unbind what is not bound',
    caughtBy: 'fanout.unbind-what-is-not-bound',
    breakIt: (backend) =>
      unbinds(async (batch, unbind) => {
        const bindings = await backend.bindings(batch[0]);
        if (bindings.length === 0) throw backendError('invalid', 'there is no such binding');
        return unbind(batch);
      })(backend),
  },
  {
    breaks: 'unbinds everything where it does not find what is asked for',
    caughtBy: 'fanout.unbind-what-is-not-bound',
    breakIt: (backend) =>
      unbinds(async (batch, unbind) => {
        const known = await backend.bindings(batch[0]);
        return unbind(known.length > 0 ? batch : await backend.bindings());
      })(backend),
  },
  {
    breaks: 'sees what others unbind a little later',
    caughtBy: 'fanout.bind-visible-at-once',
    breakIt: (backend) =>
      unbinds(async (batch, unbind) => void setImmediate(() => setImmediate(() => void unbind(batch).catch(() => {}))))(backend),
  },
  {
    breaks: 'makes another queue of one that is declared as the other kind',
    caughtBy: 'bind.first-kind-wins',
    breakIt: (backend) =>
      instead(backend, 'bind', (bind) => async (batch) => {
        for (const { queue, kind } of batch) {
          const there = backend.broker.queue(queue);
          if (there && there.kind !== kind) await backend.drop(queue);
        }
        return bind(batch);
      }),
  },
  {
    breaks: 'refuses to declare a queue as the other kind',
    caughtBy: 'bind.first-kind-wins',
    breakIt: (backend) =>
      instead(backend, 'bind', (bind) => async (batch) => {
        const other = batch.find(({ queue, kind }) => (backend.broker.queue(queue)?.kind ?? kind) !== kind);
        if (other) throw backendError('invalid', 'the queue is of another kind');
        return bind(batch);
      }),
  },
  {
    breaks: 'takes what is queued away with its binding',
    caughtBy: 'fanout.unbind-stops-new-keeps-old',
    breakIt: (backend) =>
      unbinds(async (batch, unbind) => {
        for (const { queue } of batch) await backend.cancel({ queue });
        return unbind(batch);
      })(backend),
  },
  {
    breaks: 'does not see what others bind to a name that it knows',
    caughtBy: 'fanout.bind-visible-at-once',
    breakIt: remembersRoutes,
  },
  {
    breaks: 'gives what is for one queue to all that are bound to its name',
    caughtBy: 'fanout.queue-address-skips-bindings',
    breakIt: sendsBatches(async (batch, send, { broker }) => {
      const bound = batch.filter(({ name }) => broker.routes(name).length > 0);
      await send(bound.map((out) => ({ ...out, to: { event: out.name } })));
      return send(batch.filter((out) => !bound.includes(out)));
    }),
  },
];
