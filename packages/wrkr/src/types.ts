import type { DeliveredEvent } from './deliver/delivered-event.ts';
import type { EventFields } from './publish/event-input.ts';

/** Payloads by event name: `Wrkr<{ 'user.added': { plan: string } }>`. Without one every name is good and payloads are unknown. */
export type EventMap = object;

export type AnyEvents = Record<string, unknown>;

export type NameOf<Events extends EventMap> = keyof Events & string;

/** What `publish` and `followUp` take: one of the events of the map, its payload required unless it may be undefined. */
export type EventInput<Events extends EventMap = AnyEvents> = {
  [Name in NameOf<Events>]: EventFields & { readonly name: Name } & PayloadField<Events[Name]>;
}[NameOf<Events>];

type PayloadField<Payload> = undefined extends Payload ? { readonly payload?: Payload } : { readonly payload: Payload };

/** What a handler gets: the event of that name; for a pattern, any of the map. */
export type Event<Events extends EventMap = AnyEvents, Pattern extends string = string> = {
  [Name in NameOf<Events>]: DeliveredEvent<Name, Events[Name]>;
}[Pattern extends NameOf<Events> ? Pattern : NameOf<Events>];
