import type { When } from '../time/when.ts';

/**
 * Settles the event. The first call wins and returns true; later ones do nothing and return false, as does one that comes after
 * the timeout, a lost lease or the end of `stop()`. Synchronous; never throws.
 */
export interface Ack {
  /** Done; or, with an error, not done: tried again as the retry policy says. */
  (error?: unknown): boolean;
  /** A failed attempt, tried again at this time; without one, as the retry policy says. */
  retry(when?: When): boolean;
  /** Not now, and not an attempt. */
  later(when: When): boolean;
  /** Never: a dead letter at once. */
  dead(reason?: unknown): boolean;
}

/** What a handler, or time, has decided about an event. */
export type Outcome =
  | { readonly do: 'ack' }
  | { readonly do: 'retry'; readonly error: unknown; readonly when?: When }
  | { readonly do: 'later'; readonly when: When }
  | { readonly do: 'dead'; readonly error: unknown }
  /** Not handled here after all; costs no attempt. */
  | { readonly do: 'release' };

const DONE: Outcome = { do: 'ack' };

/** What the methods of an ack ask it for, instead of settling. No user has it. */
const WHOSE = Symbol('whose ack this is');

/** Gives an ack its methods when they are used: most handlers use none, and five functions for each event would be the most of its cost. */
const METHODS: object = Object.create(Function.prototype, {
  retry: {
    get(this: Asked): Ack['retry'] {
      const job = this(WHOSE);
      return (when) => {
        const error = new Error('the handler asked for a retry');
        return job.settle(when === undefined ? { do: 'retry', error } : { do: 'retry', error, when });
      };
    },
  },
  later: {
    get(this: Asked): Ack['later'] {
      const job = this(WHOSE);
      return (when) => job.settle({ do: 'later', when });
    },
  },
  dead: {
    get(this: Asked): Ack['dead'] {
      const job = this(WHOSE);
      return (reason) => job.settle({ do: 'dead', error: reason ?? new Error('the handler gave it up') });
    },
  },
});

interface Settling {
  settle(outcome: Outcome): boolean;
}

type Asked = (whose: typeof WHOSE) => Settling;

export function ackOf(job: Settling): Ack {
  const ack = (error?: unknown): boolean | Settling => {
    if (error === WHOSE) return job;
    return job.settle(error === undefined || error === null ? DONE : { do: 'retry', error });
  };
  return Object.setPrototypeOf(ack, METHODS);
}
