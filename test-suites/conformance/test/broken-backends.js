// Harnesses of backends that break one promise each, for the tests of the suite itself.
import { Broker, MemoryBackend } from '@wrkr/memory';

/** @typedef {import('wrkr/backend').Backend} Backend */
/** @typedef {import('@wrkr/conformance').Harness} Harness */

/** @type {Map<string, Broker>} */
const brokers = new Map();

/**
 * @param {(backend: MemoryBackend) => void} breaks
 * @returns {Harness}
 */
export function harnessOf(breaks) {
  return {
    create: ({ namespace }) => {
      const broker = brokers.get(namespace) ?? new Broker();
      brokers.set(namespace, broker);
      const backend = new MemoryBackend({ broker });
      breaks(backend);
      return backend;
    },
    crash: (backend) => /** @type {MemoryBackend} */ (backend).crash(),
  };
}

export const sendsEarly = harnessOf((backend) => {
  const send = backend.send.bind(backend);
  backend.send = (batch) => send(batch.map((out) => ({ ...out, at: 0 })));
});

export const acksNothing = harnessOf((backend) => {
  const consume = backend.consume.bind(backend);
  backend.consume = async (queue, sink, options) => {
    const consumer = await consume(queue, sink, options);
    const settle = consumer.settle.bind(consumer);
    consumer.settle = (batch) => settle(batch.filter((one) => one.do !== 'ack'));
    return consumer;
  };
});

export const forgetsAQueue = harnessOf((backend) => {
  const bind = backend.bind.bind(backend);
  let bound = 0;
  backend.bind = (batch) => bind(batch.filter(({ pattern }) => pattern === undefined || bound++ === 0));
});

/** The harness that `wrkr-conformance` is given by its tests. */
export const harness = sendsEarly;
