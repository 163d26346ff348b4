export { Broker } from './broker.ts';
export { MemoryBackend } from './memory-backend.ts';
export type { MemoryOptions } from './options.ts';
