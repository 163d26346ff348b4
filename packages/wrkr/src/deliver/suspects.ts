import type { Core } from '../core.ts';
import type { Holding } from './intake.ts';
import type { Jobs } from './jobs.ts';
import type { Worker } from './worker.ts';

/** Handed out for the third time: two hand-outs ended without a settlement. */
export const SUSPICIOUS = 3;

/** The crash after which an event is not run again. */
export const CRASHES = 25;

interface Suspect {
  readonly worker: Worker;
  readonly holding: Holding;
}

/**
 * Finds the event that kills its process without blaming its neighbours: a suspect runs alone, so only what was alone when the
 * process died goes on being counted.
 *
 * - QUIET     no suspect. A delivery that was handed out too often moves to CLEARING.
 * - CLEARING  every worker is interrupted and has released what it had buffered, which resets those counts; the handlers that run are
 *             left to end. Of several suspects the one that was handed out most often stays, so that one of them always gets
 *             nearer to the ceiling; the others are released. When nothing else is held: ALONE.
 * - ALONE     the suspect runs. Further suspects are released. When it is over the workers continue: QUIET.
 */
export class Suspects {
  readonly #core: Core;
  readonly #jobs: Jobs;
  readonly #workers: Iterable<Worker>;
  #suspect: Suspect | undefined;
  #alone = false;
  #closed = false;

  constructor(core: Core, jobs: Jobs, workers: Iterable<Worker>) {
    this.#core = core;
    this.#jobs = jobs;
    this.#workers = workers;
  }

  /** A worker that is opened now begins interrupted, as the others are. */
  get isolating(): boolean {
    return this.#suspect !== undefined;
  }

  add(worker: Worker, holding: Holding): void {
    const other = this.#suspect;
    const suspect = { worker, holding };
    if (this.#closed) {
      worker.intake.release(holding);
    } else if (!other) {
      this.#suspect = suspect;
      void this.#isolate();
    } else if (this.#alone || holding.d.handouts <= other.holding.d.handouts) {
      worker.intake.release(holding);
    } else {
      this.#suspect = suspect;
      other.worker.intake.release(other.holding);
    }
  }

  /** The bus stops: a suspect that has not begun is left to others. */
  close(): void {
    this.#closed = true;
    if (this.#suspect && !this.#alone) this.#suspect.worker.intake.release(this.#suspect.holding);
  }

  async #isolate(): Promise<void> {
    const { name, queue, handouts } = (this.#suspect as Suspect).holding.d;
    const times = `${handouts - 1} processes ended while they held '${name}' from '${queue}'`;
    this.#core.log(
      'warn',
      `${times}: it runs alone, and every queue of this process waits for the handlers that run, then for it`,
    );
    for (const worker of this.#workers) worker.interrupt();
    await this.#jobs.atMost(() => 0);
    for (const worker of this.#workers) await worker.intake.idle();
    await this.#runAlone();
    this.#suspect = undefined;
    this.#alone = false;
    for (const worker of this.#workers) worker.continue();
  }

  async #runAlone(): Promise<void> {
    const { worker, holding } = this.#suspect as Suspect;
    if (this.#closed || !holding.held) return; // released, or lost, in the meantime
    this.#alone = true;
    worker.start(holding);
    await this.#jobs.atMost(() => 0);
    await worker.intake.idle(); // or the next one to crash takes this one's ack with it
  }
}
