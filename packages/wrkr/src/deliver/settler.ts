import { isBackendError } from '../contract/backend-error.ts';
import type { BackendError, Headers, Ms } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { fromBackend, isPassing, WrkrError } from '../errors.ts';
import { numberIn, TTL, UNHANDLED, withHeaders } from '../headers.ts';
import type { FollowUp, Publisher } from '../publish/publisher.ts';
import type { Retries } from '../schedule/retries.ts';
import type { When } from '../time/when.ts';
import type { Outcome } from './ack.ts';
import { attemptOf } from './delivered-event.ts';
import type { Holding, Intake } from './intake.ts';
import type { Job } from './job.ts';
import { afterFailure, deadLetter, instantOr } from './verdict.ts';
import type { Workplace } from './worker.ts';

const SOON: Ms = 1000;
/** So that `ack.later()` is reported as what it is, no time. */
const NOT_GIVEN = '';
const UNHANDLED_MOST: Ms = 60_000;
const MOST_WARNED = 100;

/** Turns what became of an event into where it goes: gone, back for later, or among the dead letters. */
export class Settler {
  readonly #core: Core;
  readonly #publisher: Publisher;
  readonly #intake: Intake;
  readonly #retries: Retries | undefined;
  /** Names that had no handler here. */
  readonly #warned = new Set<string>();

  constructor({ core, publisher, scheduling }: Workplace, intake: Intake) {
    this.#core = core;
    this.#publisher = publisher;
    this.#intake = intake;
    this.#retries = scheduling.retries;
  }

  /** Back into its queue, not before `at`. */
  postpone(holding: Holding, at: Ms, headers: Headers): void {
    if (this.#retries) this.#retries.park(this.#intake, holding, at, headers);
    else this.#intake.postpone(holding, at, headers);
  }

  /** What a handler, or time, has decided. */
  conclude(job: Job, outcome: Outcome): void {
    const { holding } = job;
    switch (outcome.do) {
      case 'ack':
        if (job.followUps.length > 0) void this.#ackAfterFollowUps(job);
        else this.#intake.ack(holding);
        break;
      case 'retry':
        this.#retry(job, outcome.error, outcome.when);
        break;
      case 'later':
        this.#later(job, outcome.when);
        break;
      case 'dead':
        this.#intake.move(holding, deadLetter(this.#core, holding.d, outcome.error, job.event.attempt));
        break;
      case 'release':
        this.#intake.move(holding, { queue: holding.d.queue, at: holding.d.at, headers: begun(holding.d.headers) });
    }
  }

  /** A dead letter that was not run this time. */
  bury(holding: Holding, error: unknown): void {
    this.#intake.move(holding, deadLetter(this.#core, holding.d, error, attemptOf(holding.d.headers) - 1));
  }

  /** Run often enough, and its process died each time. */
  crashed(holding: Holding): void {
    const crashes = holding.d.handouts - 1;
    const message = `crashed: its process died ${crashes} times while it ran, so it is not run again`;
    this.bury(holding, new WrkrError('WRKR_CRASHED', message));
  }

  /** Dropped, as its publisher wanted. */
  expired(holding: Holding): void {
    const { id, name, tid, queue } = holding.d;
    this.#core.emit('expired', { id, name, tid, queue });
    this.#intake.ack(holding);
  }

  /** Another deployment may have a handler: back with a delay that grows with the age, until it has been too long. */
  unhandled(holding: Holding): void {
    const { headers, name, queue } = holding.d;
    const now = this.#core.backend.now();
    const since = numberIn(headers, UNHANDLED, now);
    this.#warnOnce(name, queue);
    if (now - since < this.#core.settings.unhandledForMs) {
      const wait = Math.min(UNHANDLED_MOST, Math.max(SOON, now - since));
      this.postpone(holding, now + wait, withHeaders(headers, { [UNHANDLED]: String(since) }));
    } else {
      this.bury(holding, new WrkrError('WRKR_NO_HANDLER', `no handler: no process takes '${name}' from '${queue}'`));
    }
  }

  #warnOnce(name: string, queue: string): void {
    if (this.#warned.has(name) || this.#warned.size === MOST_WARNED) return;
    this.#warned.add(name);
    const patience = this.#core.settings.unhandledForMs / 1000;
    this.#core.log(
      'warn',
      `no handler here for '${name}' from '${queue}': it is offered again for ${patience} s, then a dead letter`,
    );
  }

  #retry({ holding, registration }: Job, error: unknown, when?: When): void {
    const to = afterFailure(this.#core, holding.d, registration.settings.retry, error, when);
    if (to.queue === holding.d.queue) this.postpone(holding, to.at, to.headers);
    else this.#intake.move(holding, to);
  }

  #later(job: Job, when: When): void {
    const at = instantOr(this.#core, when ?? NOT_GIVEN, this.#core.backend.now());
    if (at === undefined) this.#retry(job, new Error('ack.later was given no time that can be read'));
    else this.postpone(job.holding, at, withHeaders(job.holding.d.headers, { [TTL]: undefined, [UNHANDLED]: undefined }));
  }

  /** Stored first, then acked: a crash between the two repeats the handler, and the ids of its follow-ups are the same again. */
  async #ackAfterFollowUps(job: Job): Promise<void> {
    const { holding, followUps } = job;
    const { activity, backend } = this.#core;
    activity.begin();
    try {
      const refused = await refusalOf(followUps);
      if (refused) {
        this.#retry(job, refused.error);
      } else {
        await this.#publisher.postAll(followUps.map(({ event }) => event));
        this.#intake.ack(holding);
      }
    } catch (error) {
      const why = reasonOf(error);
      this.#core.report(fromBackend(why, `the follow-ups of '${holding.d.name}' in '${holding.d.queue}' were not stored`));
      if (isPassing(causeOf(why))) this.postpone(holding, backend.now() + SOON, begun(holding.d.headers));
      else this.#retry(job, why);
    }
    activity.end();
  }
}

/** What a validator that took its time had against one of them, after the handler was done. */
async function refusalOf(followUps: readonly FollowUp[]): Promise<{ readonly error: unknown } | undefined> {
  try {
    for (const { valid } of followUps) await valid;
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Of several that failed, one that will not pass by itself, if there is one. */
function reasonOf(error: unknown): unknown {
  const failures = error instanceof WrkrError ? (error.results ?? []).filter((one) => one instanceof WrkrError) : [];
  return failures.find((one) => !isPassing(causeOf(one))) ?? failures[0] ?? error;
}

function causeOf(error: unknown): BackendError | undefined {
  return error instanceof WrkrError && isBackendError(error.cause) ? error.cause : undefined;
}

/** Of an event that a handler has begun with: it does not expire any more. */
function begun(headers: Headers): Headers {
  return headers[TTL] === undefined ? headers : withHeaders(headers, { [TTL]: undefined });
}
