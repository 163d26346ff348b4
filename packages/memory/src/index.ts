export { Broker } from './broker.ts';
export { MemoryBackend, type MemoryOptions } from './memory-backend.ts';
