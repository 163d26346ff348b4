import { describe } from './checks/describe.ts';
import { checkKeys } from './checks/keys.ts';
import type { Backend, Clock, LogLevel, Ms } from './contract/contract.ts';
import type { Settings } from './core.ts';
import { WrkrError } from './errors.ts';
import type { Middleware } from './middleware/middleware.ts';
import { Catalogue, type Schemas } from './publish/catalogue.ts';
import { addressOf } from './publish/names.ts';
import { checkObject, DEFAULT_RETRY, type RetryOptions, readRetry, readSpan } from './subscribe/options.ts';
import { SystemClock } from './time/clock.ts';

/** Where Wrkr writes what nobody listens to. `console` is one; so are pino and winston, by a line each. */
export type Logger = Partial<Record<LogLevel, (message: string, extra?: object) => void>>;

export interface WrkrOptions {
  readonly backend: Backend;
  /**
   * Another backend, which keeps all delayed events (and retries, where `backend` cannot delay): for a backend that cannot, or
   * cannot find, cancel or reschedule them. @default `backend` itself
   */
  readonly scheduler?: Backend;
  /** Names this process in logs. @default 'wrkr' */
  readonly name?: string;
  /** For subscriptions that do not say. @default { attempts: 10, backoff: exponential with full jitter, 1 second to 1 hour } */
  readonly retry?: RetryOptions;
  /** How long a crash goes unnoticed: a running handler's event is kept by renewing this. At least the backend's minimum. @default '30 seconds' */
  readonly lease?: string | number;
  /** How long an event that no process has a handler for is offered again, until it is a dead letter. @default '24 hours' */
  readonly unhandledFor?: string | number;
  /** How long a publish is tried again while the backend is away, until it rejects. @default '10 seconds' */
  readonly publishTimeout?: string | number;
  /** Whether this process sends on delayed events that fall due. @default true */
  readonly relay?: boolean;
  /** Validators by event name, of any library that implements Standard Schema: names and payloads are checked against them. */
  readonly catalogue?: Schemas;
  /** Functions around every publish and every handler. @default none */
  readonly middleware?: Middleware;
  /** @default warnings and errors to the console */
  readonly logger?: Logger;
  /** @default the machine's; tests give a virtual one */
  readonly clock?: Clock;
}

export interface StopOptions {
  /** How long running handlers may take to finish. @default '25 seconds' */
  readonly timeout?: string | number;
}

export interface PublishOptions {
  /** The caller's transaction, as the backend knows it: the events are stored if and when it is committed. */
  readonly session?: object;
}

const KEYS: ReadonlySet<string> = new Set([
  'backend',
  'scheduler',
  'name',
  'retry',
  'lease',
  'unhandledFor',
  'publishTimeout',
  'relay',
  'catalogue',
  'middleware',
  'logger',
  'clock',
]);

const LEASE: Ms = 30_000;
const UNHANDLED_FOR: Ms = 86_400_000;
const PUBLISH_TIMEOUT: Ms = 10_000;
const STOP_TIMEOUT: Ms = 25_000;

export interface ReadOptions {
  readonly backend: Backend;
  readonly scheduler: Backend;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly middleware: Required<Middleware>;
  readonly catalogue: Catalogue | undefined;
  readonly settings: Settings;
}

export function readOptions(options: WrkrOptions): ReadOptions {
  checkObject(options, 'the options of new Wrkr');
  checkKeys(options, KEYS, 'WRKR_INVALID_OPTION', 'new Wrkr');
  const { backend, scheduler = backend, name = 'wrkr', relay = true, logger = CONSOLE, clock = new SystemClock() } = options;
  checkBackend('backend', backend);
  checkBackend('scheduler', scheduler);
  if (typeof name !== 'string') throw invalid(`name must be a string, not ${describe(name)}`);
  if (typeof relay !== 'boolean') throw invalid(`relay must be true or false, not ${describe(relay)}`);
  checkClock(clock);
  checkLogger(logger);
  const settings = {
    name,
    relay,
    retry: readRetry(options.retry, DEFAULT_RETRY),
    leaseMs: options.lease === undefined ? LEASE : readSpan(options.lease, 'lease'),
    unhandledForMs: options.unhandledFor === undefined ? UNHANDLED_FOR : readSpan(options.unhandledFor, 'unhandledFor'),
    publishTimeoutMs: options.publishTimeout === undefined ? PUBLISH_TIMEOUT : readSpan(options.publishTimeout, 'publishTimeout'),
  };
  const catalogue = options.catalogue === undefined ? undefined : readCatalogue(options.catalogue);
  return { backend, scheduler, clock, logger, middleware: readMiddleware(options.middleware), catalogue, settings };
}

const METHODS = ['open', 'close', 'now', 'bind', 'unbind', 'send', 'consume'] as const;

function checkLogger(logger: Logger): void {
  checkObject(logger, 'logger');
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    const log: unknown = logger[level];
    if (log !== undefined && typeof log !== 'function') throw invalid(`logger.${level} must be a function, not ${describe(log)}`);
  }
}

function checkClock(clock: Clock): void {
  const timers = [clock, clock?.real];
  if (timers.some((timer) => typeof timer?.now !== 'function' || typeof timer.after !== 'function'))
    throw invalid(`clock must be a clock, such as new SystemClock(), not ${describe(clock)}`);
}

function readMiddleware(middleware: Middleware = {}): Required<Middleware> {
  checkObject(middleware, 'middleware');
  checkKeys(middleware, new Set(['publish', 'handle']), 'WRKR_INVALID_OPTION', 'middleware');
  const { publish = [], handle = [] } = middleware;
  for (const [key, list] of Object.entries({ publish, handle })) {
    if (!Array.isArray(list) || list.some((one) => typeof one !== 'function'))
      throw invalid(`middleware.${key} must be an array of functions`);
  }
  return { publish, handle };
}

function readCatalogue(catalogue: Schemas): Catalogue {
  checkObject(catalogue, 'catalogue');
  for (const [name, schema] of Object.entries(catalogue)) {
    addressOf(name);
    if (typeof schema?.['~standard']?.validate !== 'function')
      throw invalid(`catalogue: '${name}' must be a Standard Schema, such as z.object({…}), not ${describe(schema)}`);
  }
  return new Catalogue(catalogue);
}

function checkBackend(option: string, backend: Backend): void {
  const lacks = METHODS.find((method) => typeof backend?.[method] !== 'function');
  if (lacks || typeof backend.capabilities !== 'object')
    throw invalid(`${option} must be a backend, such as new MemoryBackend(), not ${describe(backend)}`);
}

/** Returns the session. */
export function readPublishOptions(options: PublishOptions): object | undefined {
  checkObject(options, 'the options of publish');
  checkKeys(options, new Set(['session']), 'WRKR_INVALID_OPTION', 'publish');
  if (!('session' in options)) return undefined;
  checkObject(options.session, 'session'); // one that is undefined would publish outside of the transaction that was meant
  return options.session;
}

export function readStopOptions(options: StopOptions): Ms {
  checkObject(options, 'the options of stop');
  checkKeys(options, new Set(['timeout']), 'WRKR_INVALID_OPTION', 'stop');
  return options.timeout === undefined ? STOP_TIMEOUT : readSpan(options.timeout, 'timeout');
}

const CONSOLE: Logger = {
  warn: (message, extra) => console.warn(message, ...(extra ? [extra] : [])),
  error: (message, extra) => console.error(message, ...(extra ? [extra] : [])),
};

function invalid(message: string): WrkrError {
  return new WrkrError('WRKR_INVALID_OPTION', message);
}
