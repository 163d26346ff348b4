import type { Broker } from '@wrkr/memory';
import type { ConsumeOptions, Consumer, Delivery, Failure, Ms, Outgoing, Sent, Settlement, Sink } from 'wrkr/backend';
import type { Breakable, BreakIt } from './mutant.ts';

export type Queue = ReturnType<Broker['declare']>;
export type Send = Breakable['send'];

/** What a consumer was made with. */
export interface Consuming {
  readonly queue: string;
  readonly sink: Sink;
  readonly options: ConsumeOptions;
}

/** Settles one thing: none or one failure. */
export type Settle = (one: Settlement) => Promise<readonly Failure[]>;

export const NOTHING_SENT: Sent = { failures: [], deduplicated: [] };

/** Puts another method (or value) in the place of one. */
export function instead<Target extends object, Name extends keyof Target>(
  target: Target,
  name: Name,
  make: (real: Target[Name]) => Target[Name],
): void {
  const real = target[name];
  const bound = typeof real === 'function' ? (real.bind(target) as Target[Name]) : real;
  Object.defineProperty(target, name, { value: make(bound), configurable: true, writable: true });
}

/** Sends batches in another way. */
export function sendsBatches(change: (batch: readonly Outgoing[], send: Send, backend: Breakable) => Promise<Sent>): BreakIt {
  return (backend) => instead(backend, 'send', (send) => (batch) => change(batch, send, backend));
}

/** Sends this in the place of each event; nothing where it gives undefined. */
export function sends(change: (out: Outgoing, backend: Breakable) => Outgoing | undefined): BreakIt {
  return sendsBatches((batch, send, backend) =>
    send(batch.map((out) => change(out, backend)).filter((out) => out !== undefined)),
  );
}

/** Consumes with another queue, sink or limit. */
export function consumes(change: (how: Consuming, backend: Breakable) => Partial<Consuming>): BreakIt {
  return (backend) =>
    instead(backend, 'consume', (consume) => (queue, sink, options) => {
      const how = { queue, sink, options };
      const changed = { ...how, ...change(how, backend) };
      return consume(changed.queue, changed.sink, changed.options);
    });
}

/** Breaks each consumer once it is there. */
export function onConsumer(change: (consumer: Consumer, how: Consuming, backend: Breakable) => void): BreakIt {
  return (backend) =>
    instead(backend, 'consume', (consume) => async (queue, sink, options) => {
      const consumer = await consume(queue, sink, options);
      change(consumer, { queue, sink, options }, backend);
      return consumer;
    });
}

/** Settles each item of a batch in another way. */
export function settles(
  change: (one: Settlement, settle: Settle, backend: Breakable, how: Consuming) => Promise<readonly Failure[]>,
): BreakIt {
  return onConsumer((consumer, how, backend) =>
    instead(consumer, 'settle', (settle) => async (batch) => {
      const failures: Failure[] = [];
      for (const [index, one] of batch.entries()) {
        const own = await change(one, (it) => settle([it]), backend, how);
        failures.push(...own.map(({ error }) => ({ index, error })));
      }
      return failures;
    }),
  );
}

/** Acks in another way, and moves as it should. */
export function acks(change: (d: Delivery, settle: Settle, backend: Breakable) => Promise<readonly Failure[]>): BreakIt {
  return settles((one, settle, backend) => (one.do === 'ack' ? change(one.d, settle, backend) : settle(one)));
}

export type Move = Extract<Settlement, { do: 'move' }>;

/** Moves in another way, and acks as it should. */
export function moves(change: (move: Move, settle: Settle, backend: Breakable) => Promise<readonly Failure[]>): BreakIt {
  return settles((one, settle, backend) => (one.do === 'move' ? change(one, settle, backend) : settle(one)));
}

/** Limits in another way. */
export function limits(change: (max: number, limit: (max: number) => void, how: Consuming) => void): BreakIt {
  return onConsumer((consumer, how) => instead(consumer, 'limit', (limit) => (max) => change(max, limit, how)));
}

/** Extends in another way. */
export function extendsLeases(
  change: (batch: readonly Delivery[], forMs: Ms, extend: Consumer['extend'], backend: Breakable) => Promise<readonly Failure[]>,
): BreakIt {
  return onConsumer((consumer, _, backend) =>
    instead(consumer, 'extend', (extend) => (batch, forMs) => change(batch, forMs, extend, backend)),
  );
}

/** Delivers something that differs from what it holds. */
export function delivers(change: (delivery: Delivery, backend: Breakable) => Delivery): BreakIt {
  const real = new WeakMap<Delivery, Delivery>();
  const shown = new WeakMap<Delivery, Delivery>();
  const original = (d: Delivery): Delivery => real.get(d) ?? d;
  const show = (d: Delivery, backend: Breakable): Delivery => {
    const other = change({ ...d }, backend);
    real.set(other, d);
    shown.set(d, other);
    return other;
  };
  const sink = consumes((how, backend) => ({
    sink: {
      deliver: (batch) => how.sink.deliver(batch.map((d) => show(d, backend))),
      lost: (batch, why) => how.sink.lost(batch === 'all' ? batch : batch.map((d) => shown.get(d) ?? d), why),
    },
  }));
  const settling = settles((one, settle) => settle({ ...one, d: original(one.d) }));
  const extending = extendsLeases((batch, forMs, extend) => extend(batch.map(original), forMs));
  return all(sink, settling, extending);
}

/** Breaks every queue of the broker, once, when it is declared. */
export function onQueues(change: (queue: Queue, broker: Broker) => void): BreakIt {
  const brokers = new WeakSet<Broker>();
  const queues = new WeakSet<Queue>();
  return ({ broker }) => {
    if (brokers.has(broker)) return;
    brokers.add(broker);
    instead(broker, 'declare', (declare) => (name, kind) => {
      const queue = declare(name, kind);
      if (!queues.has(queue)) change(queue, broker);
      queues.add(queue);
      return queue;
    });
  };
}

export function all(...changes: readonly BreakIt[]): BreakIt {
  return (backend) => {
    for (const change of changes) change(backend);
  };
}
