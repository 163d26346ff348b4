import { processing } from '../diagnostics.ts';
import { ackOf } from './ack.ts';
import { type Job, JobContext } from './job.ts';

let frames = 0;

type Run = (job: Job) => Promise<void>;

/**
 * Runs the handlers of one bus under a function whose name no other has, so that `stop()` can see in its own stack trace that it
 * was called from inside one of them, also after any number of awaits: V8 keeps the chain of awaiting functions for free.
 *
 * AsyncLocalStorage is the usual means. It was measured to cost a quarter of the throughput on Node 20 and a tenth on Node 24, on
 * every event, for a question that is asked once. The price of this one is a gap: a call from a timer or an event emitter that the
 * handler has set up is not seen as the handler's; then the deadline of `stop()` decides.
 */
export class HandlerFrame {
  readonly #name = `handlerOfWrkr${++frames}_`;
  readonly #bus: string;

  /** `bus` is its name, for those who trace. */
  constructor(bus: string) {
    this.#bus = bus;
  }

  /** Calls the handler; resolves when it has ended. Never rejects. */
  run(job: Job): Promise<void> {
    return processing.hasSubscribers ? this.#runTraced(job) : this.#runPlain(job);
  }

  readonly #runPlain: Run = {
    async [this.#name](job: Job): Promise<void> {
      try {
        await job.registration.handler(job.event, ackOf(job), new JobContext(job));
      } catch (error) {
        return job.failed(error);
      }
      job.returned();
    },
  }[this.#name] as Run;

  /** For those who listen to `wrkr.process`. The name is on the inside: the promises of the channel would hide it. */
  async #runTraced(job: Job): Promise<void> {
    try {
      await processing.tracePromise(() => this.#handle(job), { bus: this.#bus, event: job.event });
    } catch (error) {
      return job.failed(error);
    }
    job.returned();
  }

  readonly #handle: Run = {
    async [this.#name](job: Job): Promise<void> {
      await job.registration.handler(job.event, ackOf(job), new JobContext(job));
    },
  }[this.#name] as Run;

  /** Whether the caller runs, directly or through awaits, inside a handler. */
  isAround(): boolean {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = DEEP;
    const { stack } = new Error();
    Error.stackTraceLimit = stackTraceLimit;
    return String(stack).includes(this.#name);
  }
}

/** Frames looked through. */
const DEEP = 200;
