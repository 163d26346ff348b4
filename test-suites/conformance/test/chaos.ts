import { MemoryBackend } from '@wrkr/memory';
import type { Consumer, Sink } from 'wrkr/backend';
import { random } from '../src/random.ts';

const { setImmediate } = globalThis;

type Next = (below: number) => number;
type Method = (...args: never[]) => Promise<unknown>;

const METHODS = ['bind', 'unbind', 'send', 'consume', 'cancel', 'change', 'browse', 'bindings', 'stats', 'drop'] as const;
/** What the contract says may be repeated. */
const REPEATABLE: readonly string[] = ['bind', 'unbind', 'drop', 'settle', 'extend', 'stop'];

async function aWhile(next: Next): Promise<void> {
  for (let turns = next(3); turns > 0; turns--) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** The same call, some turns later, answered some turns later, and now and then made twice where that is harmless. */
function late<M extends Method>(name: string, method: M, next: Next): M {
  const call = async (...args: Parameters<M>): Promise<unknown> => {
    await aWhile(next);
    const answer = await method(...args);
    if (REPEATABLE.includes(name) && next(4) === 0) await method(...args).catch(() => {});
    await aWhile(next);
    return answer;
  };
  return call as M;
}

function shuffled<T>(list: readonly T[], next: Next): readonly T[] {
  const left = [...list];
  return list.map(() => left.splice(next(left.length), 1)[0] as T);
}

function lateConsumer(consumer: Consumer, next: Next): Consumer {
  consumer.settle = late('settle', consumer.settle.bind(consumer), next);
  consumer.extend = late('extend', consumer.extend.bind(consumer), next);
  consumer.stop = late('stop', consumer.stop.bind(consumer), next);
  return consumer;
}

/** Memory as a slow and untidy server would be: nothing takes as long as it did before, and batches arrive out of order. */
export function chaotic(options: ConstructorParameters<typeof MemoryBackend>[0], seed: number): MemoryBackend {
  const next = random(seed);
  const backend = new MemoryBackend({ ...options, capabilities: { fifo: false } });
  const consume = backend.consume.bind(backend);
  backend.consume = async (queue, sink, settings) => {
    const untidy: Sink = {
      deliver: (batch) => sink.deliver(shuffled(batch, next)),
      lost: (batch, why) => sink.lost(batch, why),
    };
    return lateConsumer(await consume(queue, untidy, settings), next);
  };
  for (const name of METHODS) {
    const method = backend[name] as Method;
    Object.defineProperty(backend, name, { value: late(name, method.bind(backend), next) });
  }
  return backend;
}
