import type { Backend, BackendError, Clock, Env } from 'wrkr/backend';

/** One backend as it was opened by a case: what it said of itself. */
export class Witness {
  readonly backend: Backend;
  /** What it said of its connection, in order. */
  readonly states: string[] = [];
  /** Ids of what it said had no subscriber. */
  readonly unrouted: string[] = [];
  readonly #log: (line: string) => void;

  constructor(backend: Backend, log: (line: string) => void) {
    this.backend = backend;
    this.#log = log;
  }

  env(clock: Clock): Env {
    return {
      clock,
      log: (level, message, extra) => this.#log(`${level}: ${message}${extra ? ` ${shown(extra)}` : ''}`),
      onState: (state, why) => {
        this.states.push(state);
        if (why) this.#log(`${state}: ${textOf(why)}`);
      },
      onUnrouted: ({ id }) => {
        this.unrouted.push(id);
      },
    };
  }
}

function textOf({ code, message }: BackendError): string {
  return `${code}, ${message}`;
}

function shown(extra: object): string {
  try {
    return JSON.stringify(extra);
  } catch {
    return String(extra);
  }
}
