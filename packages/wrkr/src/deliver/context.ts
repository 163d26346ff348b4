import type { LogLevel } from '../contract/contract.ts';
import type { Receipt } from '../publish/event-input.ts';
import type { AnyEvents, EventInput, EventMap } from '../types.ts';

/** Beside the event: what a handler may need. Usable when destructured. */
export interface HandlerContext<Events extends EventMap = AnyEvents> {
  /** Aborted on timeout, lost lease and at the end of `stop()`; its `reason` is a WrkrError that says which. */
  readonly signal: AbortSignal;
  /**
   * Publishes an event that this one caused, if and when the handler acks. Refused once the event is settled. Its id is the same
   * for each attempt, so a retry does not publish it twice while the first still waits. The receipt tells of what is to be
   * stored: with `once` or `onceEvery` another may stand for it by then.
   */
  readonly followUp: (event: EventInput<Events>) => Promise<Receipt>;
  /** To the bus's logger, with the event's id, name, queue and attempt. */
  readonly log: Record<LogLevel, (message: string, extra?: object) => void>;
}
