import { describe } from '../checks/describe.ts';
import { didYouMean } from '../checks/nearest.ts';
import type { LogLevel } from '../contract/contract.ts';
import { messageOf, WrkrError } from '../errors.ts';
import type { Logger } from '../options.ts';
import { type BusEvents, EVENTS, Listeners } from './events.ts';
import { trace } from './trace.ts';

/** What a bus tells that nobody asked for: to listeners, to the logger, to `DEBUG`. None of them can hurt it. */
export class Reports {
  readonly #name: string;
  readonly #logger: Logger;
  readonly #listeners = new Listeners((thrown, name) => this.log('error', `a listener of '${name}' threw`, { thrown }));

  /** `name` is the bus's. */
  constructor(name: string, logger: Logger) {
    this.#name = name;
    this.#logger = logger;
  }

  /** Returns what ends it. Throws `WRKR_INVALID_CALL`. */
  on<Name extends keyof BusEvents>(name: Name, listener: (...details: BusEvents[Name]) => void): () => void {
    checkListener(name, listener);
    return this.#listeners.add(name, listener);
  }

  listens(name: keyof BusEvents): boolean {
    return this.#listeners.has(name);
  }

  emit<Name extends keyof BusEvents>(name: Name, details: BusEvents[Name]): void {
    this.#listeners.emit(name, details);
  }

  error(error: WrkrError): void {
    if (this.#listeners.has('error')) this.#listeners.emit('error', [error]);
    else this.log('error', error.message, { error });
  }

  log(level: LogLevel, message: string, extra?: object): void {
    trace.bus('%s: %s %s %o', this.#name, level, message, extra ?? {});
    try {
      this.#logger[level]?.(message, extra);
    } catch (thrown) {
      trace.bus('%s: the logger threw: %s', this.#name, messageOf(thrown));
    }
  }
}

function checkListener(name: unknown, listener: unknown): void {
  if (typeof name !== 'string' || !EVENTS.has(name)) {
    const hint = typeof name === 'string' ? didYouMean(name, EVENTS) : '';
    throw new WrkrError('WRKR_INVALID_CALL', `there is no ${describe(name)} to listen to: ${[...EVENTS].join(', ')}${hint}`);
  }
  if (typeof listener !== 'function')
    throw new WrkrError('WRKR_INVALID_CALL', `the listener of '${name}' must be a function, not ${describe(listener)}`);
}
