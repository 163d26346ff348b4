import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { DeliveredEvent } from '../deliver/delivered-event.ts';
import { checkHeaders } from '../headers.ts';
import { checkEvent, type Receipt, type UntypedInput } from '../publish/event-input.ts';

/** What subscribers of the tracing channel `wrkr.publish` get, the same object for each step of one call. */
export interface PublishMessage {
  /** Name of the bus. */
  readonly bus: string;
  /** Copies, made for whoever listens: headers that are added to them at `start` are published. */
  readonly events: readonly TracedEvent[];
  /** The event whose handler publishes these as its follow-ups, at `start` and `end`; they are stored when it is acked. */
  readonly parent?: DeliveredEvent;
  /** In order; for one event, one. */
  result?: Receipt | readonly Receipt[];
  error?: unknown;
}

export interface TracedEvent extends Omit<UntypedInput, 'headers'> {
  readonly headers: Record<string, string>;
}

/** What subscribers of the tracing channel `wrkr.process` get, the same object for each step of one run of a handler. */
export interface ProcessMessage {
  readonly bus: string;
  readonly event: DeliveredEvent;
  /** What the handler threw. */
  error?: unknown;
}

/** `node:diagnostics_channel`: `tracing:wrkr.publish:start`, `:end`, `:asyncStart`, `:asyncEnd`, `:error`. */
export const publishing: TracingChannel<unknown, PublishMessage> = tracingChannel('wrkr.publish');

/** The same of `wrkr.process`. */
export const processing: TracingChannel<unknown, ProcessMessage> = tracingChannel('wrkr.process');

/** An event as a subscriber may change it. What cannot be copied so is refused, as it is where nobody listens. */
export function traced(event: UntypedInput): TracedEvent {
  checkEvent(event);
  if (event.headers !== undefined) checkHeaders(event.headers);
  return { ...event, headers: { ...event.headers } };
}
