import { Batcher, type BatchLimits } from '../calls/batcher.ts';
import { backendError } from '../contract/backend-error.ts';
import type { Backend, BackendError, Deduplicated, Ms, Sent } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { asBackendError, isPassing } from '../errors.ts';
import { trace } from '../telling/trace.ts';
import type { Letter } from './letter.ts';

/** How often those that have waited long enough are looked for; on the monotonic clock. */
const LOOK: Ms = 250;

/**
 * Sends letters in batches, a batch per tick, and sends again, with the same ids, what failed for a reason that passes. A batch
 * that is sent again keeps its place among those in flight, so that an outage does not pile up calls; it goes in ever smaller
 * parts, so that one letter that breaks every call does not take its neighbours with it.
 *
 * A letter is answered when its patience ends, wherever it is by then: waiting, in a call that does not return, or between two.
 */
export class Outbox {
  readonly #core: Core;
  readonly #backend: Backend;
  readonly #batcher: Batcher<Letter>;
  readonly #underWay = new Set<readonly Letter[]>();
  #cancelLook: (() => void) | undefined;
  #closed = false;

  constructor(core: Core, backend: Backend) {
    this.#core = core;
    this.#backend = backend;
    this.#batcher = new Batcher(
      (letters) => this.#deliver(letters),
      (): BatchLimits => backend.capabilities.limits,
      { most: () => backend.capabilities.limits.batchBytes, of: ({ body }) => body.byteLength },
    );
  }

  post(letter: Letter): void {
    const { activity, clock } = this.#core;
    activity.begin();
    if (trace.publish.enabled) tracePublish(letter);
    letter.until = Math.ceil(clock.real.now() + letter.patienceMs); // whole, it is no object on the heap
    this.#batcher.push(letter);
    this.#cancelLook ??= clock.real.after(LOOK, this.#look);
  }

  /** Nothing is sent any more. What has no answer by now gets one. */
  close(): void {
    this.#closed = true;
    this.#cancelLook?.();
    const error = backendError('closed', 'the bus was stopped before it was stored');
    for (const letter of this.#pending()) this.#failed(letter, error);
  }

  readonly #look = (): void => {
    this.#cancelLook = undefined;
    const { real } = this.#core.clock;
    const now = real.now();
    let left = false;
    for (const letter of this.#pending()) {
      if (letter.until <= now) this.#failed(letter, backendError('timeout', 'the backend has not taken it in time'));
      left ||= !letter.answered;
    }
    if (left) this.#cancelLook = real.after(LOOK, this.#look);
  };

  *#pending(): Iterable<Letter> {
    for (const letters of this.#underWay) yield* letters;
    yield* this.#batcher.waiting;
  }

  async #deliver(letters: readonly Letter[]): Promise<void> {
    this.#underWay.add(letters);
    let failed = await this.#send(letters);
    this.#core.activity.steps++;
    for (let count = 1; failed; count++) {
      const again = failed.filter(({ letter, error }) => this.#isWorthAgain(letter, error)).map(({ letter }) => letter);
      if (again.length === 0) break;
      await this.#core.pauses.wait(count);
      failed = await this.#sendInParts(again, 2 ** (count - 1));
    }
    this.#underWay.delete(letters);
  }

  /** Answers those that are not. */
  #isWorthAgain(letter: Letter, error: BackendError): boolean {
    letter.isOut = false;
    letter.doubtful ||= error.applied === 'maybe';
    const worth = isPassing(error) && !this.#closed && this.#core.clock.real.now() < letter.until;
    if (!worth) this.#failed(letter, error);
    return worth && !letter.answered;
  }

  async #sendInParts(letters: readonly Letter[], parts: number): Promise<readonly Failed[] | undefined> {
    const size = Math.max(1, Math.ceil(letters.length / parts));
    const failed: Failed[] = [];
    for (let from = 0; from < letters.length; from += size) {
      failed.push(...((await this.#send(letters.slice(from, from + size))) ?? []));
    }
    return failed.length > 0 ? failed : undefined;
  }

  /** Tells each letter that needs no more; resolves with the others, or with nothing. */
  async #send(given: readonly Letter[]): Promise<readonly Failed[] | undefined> {
    const letters = given.some(({ answered }) => answered) ? given.filter(({ answered }) => !answered) : given;
    if (letters.length === 0) return undefined;
    for (const letter of letters) letter.isOut = true;
    try {
      return this.#sent(letters, await this.#core.calls.bounded(this.#backend.send(letters)));
    } catch (thrown) {
      const error = asBackendError(thrown);
      return letters.map((letter) => ({ letter, error }));
    }
  }

  #sent(letters: readonly Letter[], { failures, deduplicated }: Sent): readonly Failed[] | undefined {
    if (failures.length === 0 && deduplicated.length === 0) {
      for (const letter of letters) this.#stored(letter, undefined);
      return undefined;
    }
    const failed = new Map(failures.map(({ index, error }) => [index, error]));
    const instead = new Map(deduplicated.map((one) => [one.index, one]));
    letters.forEach((letter, i) => {
      if (!failed.has(i)) this.#stored(letter, instead.get(i));
    });
    return failures.map(({ index, error }) => ({ letter: letters[index] as Letter, error }));
  }

  #stored(letter: Letter, there: Deduplicated | undefined): void {
    if (letter.answered) return;
    letter.answered = true;
    this.#core.activity.end();
    letter.stored(there?.id === letter.id ? undefined : there); // sent again after a lost answer, it may meet itself
  }

  #failed(letter: Letter, error: BackendError): void {
    if (letter.answered) return;
    letter.answered = true;
    this.#core.activity.end();
    letter.failed(error, letter.doubtful || letter.isOut ? 'maybe' : 'no');
  }
}

interface Failed {
  readonly letter: Letter;
  readonly error: BackendError;
}

function tracePublish({ id, name, at }: Letter): void {
  trace.publish('%s %s, due %s', name, id, at === 0 ? 'now' : new Date(at).toISOString());
}
