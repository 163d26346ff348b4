import { MemoryBackend } from '@wrkr/memory';
import { backendError } from 'wrkr/backend';

class NeverOpens extends MemoryBackend {
  /**
   * @override
   * @returns {Promise<void>}
   */
  async open() {
    throw backendError('unavailable', 'nobody listens');
  }
}

/** @type {import('@wrkr/conformance').Harness} */
export const harness = { create: () => new NeverOpens() };
