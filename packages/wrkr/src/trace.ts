import debug, { type Debugger } from 'debug';

/**
 * What `DEBUG=wrkr:*` shows on stderr; a part of it is chosen by its name, as in `DEBUG=wrkr:settle`. On the way of every event
 * ask `enabled` first: unless somebody looks, nothing is put together.
 */
export const trace: Readonly<Record<'bus' | 'publish' | 'handle' | 'settle', Debugger>> = {
  /** What a bus says of itself: its states, and everything that it logs at any level. */
  bus: debug('wrkr:bus'),
  /** What is given to the backend to store. */
  publish: debug('wrkr:publish'),
  /** Which handler runs for what. */
  handle: debug('wrkr:handle'),
  /** What became of what was handed out. */
  settle: debug('wrkr:settle'),
};
