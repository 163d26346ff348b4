import type { Ack } from '../deliver/ack.ts';
import type { HandlerContext } from '../deliver/context.ts';
import type { DeliveredEvent } from '../deliver/delivered-event.ts';
import { WrkrError } from '../errors.ts';
import { isEvent, type UntypedInput } from '../publish/event-input.ts';
import type { Handler } from '../subscribe/registrations.ts';

/**
 * Sees every event that this bus publishes, follow-ups too, and returns it or another one. Synchronous, because an event is read
 * before `publish` returns; what it throws, `publish` rejects with.
 */
export type PublishMiddleware = (event: UntypedInput) => UntypedInput;

/**
 * Around every handler: `next()` runs what is inside, with another event if it is given one, and rejects with what it threw. To
 * return without calling `next` is to ack without running the handler.
 */
export type HandleMiddleware = (
  event: DeliveredEvent,
  ack: Ack,
  context: HandlerContext,
  next: (event?: DeliveredEvent) => Promise<void>,
) => unknown;

/** The first sees the event first. */
export interface Middleware {
  readonly publish?: readonly PublishMiddleware[];
  readonly handle?: readonly HandleMiddleware[];
}

/** What is to be published, after all of them. None sees what is no event: that is refused as it is without them. */
export function transformed(middleware: readonly PublishMiddleware[], event: UntypedInput): UntypedInput {
  return middleware.reduce(apply, event);
}

function apply(event: UntypedInput, transform: PublishMiddleware): UntypedInput {
  const next = isEvent(event) ? transform(event) : event;
  if (!(next instanceof Promise)) return next;
  next.catch(() => {}); // what it rejects with must not end the process
  throw new WrkrError('WRKR_INVALID_CALL', 'middleware.publish must be synchronous: what takes time belongs before publish');
}

/** The handler with all of them around it, made once when it is subscribed. */
export function wrapped(middleware: readonly HandleMiddleware[], handler: Handler): Handler {
  return middleware.reduceRight<Handler>(
    (inner, outer) => (event, ack, context) =>
      outer(event, ack, context, async (other = event) => {
        await inner(other, ack, context);
      }),
    handler,
  );
}
