import { createRequire } from 'node:module';

/** As much of one of `debug`'s as is used. */
interface Tracer {
  (format: string, ...details: readonly unknown[]): void;
  readonly enabled: boolean;
}

/** What nobody looks at. */
const SILENT: Tracer = Object.assign(() => {}, { enabled: false });

/** `debug` is loaded only where `DEBUG` is set: it brings a terminal along, which is a sixth of the time that importing takes. */
function tracer(part: string): Tracer {
  if (!process.env.DEBUG) return SILENT;
  const debug: (namespace: string) => Tracer = createRequire(import.meta.url)('debug');
  return debug(`wrkr:${part}`);
}

/**
 * What `DEBUG=wrkr:*` shows on stderr; a part of it is chosen by its name, as in `DEBUG=wrkr:settle`. On the way of every event
 * ask `enabled` first: unless somebody looks, nothing is put together.
 */
export const trace: Readonly<Record<'bus' | 'publish' | 'handle' | 'settle', Tracer>> = {
  /** What a bus says of itself: its states, and everything that it logs at any level. */
  bus: tracer('bus'),
  /** What is given to the backend to store. */
  publish: tracer('publish'),
  /** Which handler runs for what. */
  handle: tracer('handle'),
  /** What became of what was handed out. */
  settle: tracer('settle'),
};
