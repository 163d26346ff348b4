import { Batcher, type BatchLimits } from '../batcher.ts';
import type { Backend, BackendError, Deduplicated, Ms, Outgoing } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { asBackendError, isPassing } from '../errors.ts';
import { trace } from '../trace.ts';

/** An event on its way to the backend, which knows who wants to be told what became of it. */
export interface Letter extends Outgoing {
  /** How long it is sent again after passing faults. */
  readonly patienceMs: Ms;
  /** `instead`: the event that is there in its place. */
  stored(instead: Deduplicated | undefined): void;
  /** `applied` tells of all its attempts together. */
  failed(error: BackendError, applied: 'no' | 'maybe'): void;
}

/**
 * Sends letters in batches, a batch per tick, and sends again, with the same ids, what failed for a reason that passes. A batch
 * that is sent again keeps its place among those in flight, so that an outage does not pile up calls.
 */
export class Outbox {
  readonly #core: Core;
  readonly #backend: Backend;
  readonly #batcher: Batcher<Letter>;
  #closed = false;

  constructor(core: Core, backend: Backend) {
    this.#core = core;
    this.#backend = backend;
    this.#batcher = new Batcher(
      (letters) => this.#deliver(letters),
      (): BatchLimits => backend.capabilities.limits,
    );
  }

  post(letter: Letter): void {
    this.#core.activity.begin();
    if (trace.publish.enabled) tracePublish(letter);
    this.#batcher.push(letter);
  }

  /** From now on nothing is sent again; what is on its way gets its answer. */
  close(): void {
    this.#closed = true;
  }

  async #deliver(letters: readonly Letter[]): Promise<void> {
    const failed = await this.#send(letters);
    this.#core.activity.steps++;
    if (failed) await this.#deliverAgain(failed);
  }

  /** Tells each letter that needs no more; resolves with the others, or with nothing. */
  async #send(letters: readonly Letter[]): Promise<readonly Failed[] | undefined> {
    try {
      const { failures, deduplicated } = await this.#backend.send(letters);
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
    } catch (thrown) {
      const error = asBackendError(thrown);
      return letters.map((letter) => ({ letter, error }));
    }
  }

  async #deliverAgain(first: readonly Failed[]): Promise<void> {
    const { real } = this.#core.clock;
    const began = real.now();
    const doubtful = new Set<Letter>();
    let failed: readonly Failed[] | undefined = first;
    for (let count = 1; failed; count++) {
      const again: Letter[] = [];
      for (const { letter, error } of failed) {
        if (error.applied === 'maybe') doubtful.add(letter);
        const worth = isPassing(error) && !this.#closed && real.now() - began < letter.patienceMs;
        if (worth) again.push(letter);
        else this.#failed(letter, error, doubtful.has(letter) ? 'maybe' : 'no');
      }
      if (again.length === 0) return;
      await this.#core.pauses.wait(count);
      failed = await this.#send(again);
    }
  }

  #stored(letter: Letter, instead: Deduplicated | undefined): void {
    this.#core.activity.end();
    letter.stored(instead);
  }

  #failed(letter: Letter, error: BackendError, applied: 'no' | 'maybe'): void {
    this.#core.activity.end();
    letter.failed(error, applied);
  }
}

function tracePublish({ id, name, at }: Letter): void {
  trace.publish('%s %s, due %s', name, id, at === 0 ? 'now' : new Date(at).toISOString());
}

interface Failed {
  readonly letter: Letter;
  readonly error: BackendError;
}
