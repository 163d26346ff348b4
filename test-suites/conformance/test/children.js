// Memory that says it is on a network, so that its cases start processes; with LEAVES_TIMER they close badly.
import { MemoryBackend } from '@wrkr/memory';
import { harnessOf } from './broken-backends.js';

/** @type {import('@wrkr/conformance').Harness} */
export const harness = {
  ...harnessOf((backend) => {
    Object.defineProperty(backend, 'capabilities', { value: { ...new MemoryBackend().capabilities, scope: 'network' } });
    if (process.env.LEAVES_TIMER && process.send) setInterval(() => {}, 1000);
  }),
  child: new URL(import.meta.url),
};
