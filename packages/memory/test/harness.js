import { Broker, MemoryBackend } from '@wrkr/memory';

/** @type {Map<string, Broker>} */
const brokers = new Map();

/** @param {string} namespace */
function brokerOf(namespace) {
  const broker = brokers.get(namespace) ?? new Broker();
  brokers.set(namespace, broker);
  return broker;
}

/** @type {import('@wrkr/conformance').Harness} */
export const harness = {
  create: ({ namespace }) => new MemoryBackend({ broker: brokerOf(namespace) }),
  crash: (backend) => /** @type {MemoryBackend} */ (backend).crash(),
  cut: (backend) => {
    const memory = /** @type {MemoryBackend} */ (backend);
    memory.cut();
    return () => memory.restore();
  },
};
