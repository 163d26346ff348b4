import { MemoryBackend } from '@wrkr/memory';

/** Breaks in a promise that nobody has. */
class Stray extends MemoryBackend {
  /** @type {import('wrkr/backend').Env | undefined} */
  #env;

  /**
   * @override
   * @type {MemoryBackend['open']}
   */
  open(env) {
    this.#env = env;
    return super.open(env);
  }

  /**
   * @override
   * @type {MemoryBackend['send']}
   */
  send(batch, options) {
    if (batch.length > 0) return super.send(batch, options);
    this.#env?.log('warn', 'about to break');
    void Promise.reject(new Error('astray'));
    return new Promise(() => {});
  }
}

/** @type {import('@wrkr/conformance').Harness} */
export const harness = { create: () => new Stray() };
