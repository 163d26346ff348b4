import type { Calls } from './calls/calls.ts';
import type { Activity, Backend, Clock, LogLevel, Ms } from './contract/contract.ts';
import type { WrkrError } from './errors.ts';
import type { Middleware } from './middleware/middleware.ts';
import type { Catalogue } from './publish/catalogue.ts';
import type { RetryPolicy } from './subscribe/options.ts';
import type { BusEvents } from './telling/events.ts';
import type { Pauses } from './time/pauses.ts';

/** What the rooms share: made once by the bus and handed down. */
export interface Core {
  readonly backend: Backend;
  /** Where delayed events wait: the companion, if there is one, or the backend itself. */
  readonly scheduler: Backend;
  readonly clock: Clock;
  readonly activity: ActivityCount;
  /** Those of the backend. */
  readonly calls: Calls;
  /** Between repeated calls of the backend. */
  readonly pauses: Pauses;
  readonly settings: Settings;
  readonly middleware: Required<Middleware>;
  /** What there is, if that is known. */
  readonly catalogue: Catalogue | undefined;
  /** `stop()` was called. */
  isStopping(): boolean;
  /** Whether anyone would hear it; ask before building details that cost something. */
  listens(name: keyof BusEvents): boolean;
  /** Tells listeners, without ever throwing. */
  emit<Name extends keyof BusEvents>(name: Name, ...details: BusEvents[Name]): void;
  /** To the listeners of `error`; without one, to the logger. */
  report(error: WrkrError): void;
  log(level: LogLevel, message: string, extra?: object): void;
}

/** The bus options with their defaults filled in. */
export interface Settings {
  readonly name: string;
  readonly retry: RetryPolicy;
  readonly leaseMs: Ms;
  readonly unhandledForMs: Ms;
  readonly publishTimeoutMs: Ms;
  readonly relay: boolean;
}

/** What goes on outside of time, for `stop()` and for a clock that waits for it. */
export class ActivityCount implements Activity {
  busy = 0;
  steps = 0;
  #onIdle: (() => void)[] = [];

  begin(): void {
    this.busy++;
    this.steps++;
  }

  end(): void {
    this.busy--;
    this.steps++;
    if (this.busy === 0 && this.#onIdle.length > 0) this.#tellIdle();
  }

  async idle(): Promise<void> {
    while (this.busy > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #tellIdle(): void {
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }
}
