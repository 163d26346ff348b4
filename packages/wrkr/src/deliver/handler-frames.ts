import { processing } from '../telling/diagnostics.ts';
import { ackOf } from './ack.ts';
import { type Job, JobContext } from './job.ts';

let buses = 0;

/** One handler runs in it at a time. */
export interface Frame {
  readonly index: number;
  readonly run: (job: Job) => Promise<void>;
  job: Job | undefined;
}

/**
 * Runs the handlers of one bus, each under a function whose name no other has, so that `stop()` can see in its own stack trace
 * inside which of them it was called, also after any number of awaits: V8 keeps the chain of awaiting functions for free.
 *
 * AsyncLocalStorage is the usual means. It was measured to cost a quarter of the throughput on Node 20 and a tenth on Node 24, on
 * every event, for a question that is asked once. The price of this one is a gap: a call from a timer or an event emitter that the
 * handler has set up is not seen as the handler's; then the deadline of `stop()` decides.
 */
export class HandlerFrames {
  readonly #prefix = `handlerOfWrkr${++buses}_`;
  readonly #bus: string;
  readonly #known = new Map<number, Frame>();
  readonly #free: Frame[] = [];
  #made = 0;

  /** `bus` is its name, for those who trace. */
  constructor(bus: string) {
    this.#bus = bus;
  }

  /** Calls the handler. Its job learns what became of it. */
  run(job: Job): void {
    const frame = this.#free.pop() ?? this.#make();
    frame.job = job;
    job.frame = frame;
    void frame.run(job);
  }

  /** Its handler is waited for no longer; it may never end, and nothing is kept for it. */
  forget({ frame }: Job): void {
    if (!frame?.job) return;
    frame.job = undefined;
    this.#known.delete(frame.index);
  }

  /** The job inside of whose handler the caller runs, directly or through awaits. */
  jobAround(): Job | undefined {
    const [, index] = new RegExp(`${this.#prefix}(\\d+)_`).exec(stackHere()) ?? [];
    return index === undefined ? undefined : this.#known.get(Number(index))?.job;
  }

  /** As many are made as ever run at once. */
  #make(): Frame {
    const index = this.#made++;
    const name = `${this.#prefix}${index}_`;
    const leave = (): void => {
      if (!frame.job) this.#known.set(index, frame); // it was forgotten, and has ended after all
      frame.job = undefined;
      this.#free.push(frame);
    };
    const bus = this.#bus;
    const handle = {
      async [name](job: Job): Promise<void> {
        await job.registration.handler(job.event, ackOf(job), new JobContext(job));
      },
    }[name] as Frame['run'];
    const run = {
      async [name](job: Job): Promise<void> {
        try {
          // Those who trace get the inner function: the promises of their channel would hide the outer one.
          if (processing.hasSubscribers) await processing.tracePromise(() => handle(job), { bus, event: job.event });
          else await job.registration.handler(job.event, ackOf(job), new JobContext(job));
        } catch (error) {
          leave();
          return job.failed(error);
        }
        leave();
        job.returned();
      },
    }[name] as Frame['run'];
    const frame: Frame = { index, run, job: undefined };
    this.#known.set(index, frame);
    return frame;
  }
}

/** Frames looked through. */
const DEEP = 200;

function stackHere(): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = DEEP;
  (Error as { prepareStackTrace?: unknown }).prepareStackTrace = undefined; // a program may have put its own in place
  const { stack } = new Error();
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  return String(stack);
}
