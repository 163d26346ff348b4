import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { DeliveredEvent } from './deliver/delivered-event.ts';
import type { EventFields } from './publish/event-input.ts';

/**
 * What there is, by event name: payload types, `Wrkr<{ 'user.added': { plan: string } }>`, or the validators of a catalogue, whose
 * types are inferred. Without one every name is good and payloads are unknown.
 */
export type EventMap = object;

export type AnyEvents = Record<string, unknown>;

export type NameOf<Events extends EventMap> = keyof Events & string;

/** What a publisher gives. */
export type PayloadIn<Entry> = Entry extends StandardSchemaV1 ? StandardSchemaV1.InferInput<Entry> : Entry;

/** What a handler gets. */
export type PayloadOut<Entry> = Entry extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<Entry> : Entry;

/** What `publish` and `followUp` take: one of the events of the map, its payload required unless it may be undefined. */
export type EventInput<Events extends EventMap = AnyEvents> = {
  [Name in NameOf<Events>]: EventFields & { readonly name: Name } & PayloadField<PayloadIn<Events[Name]>>;
}[NameOf<Events>];

type PayloadField<Payload> = undefined extends Payload ? { readonly payload?: Payload } : { readonly payload: Payload };

/** `*` stands for one word, `#` for zero or more. */
export type Wildcard = `${string}*${string}` | `${string}#${string}`;

/** What a queue can subscribe to. */
export type PatternOf<Events extends EventMap> = NameOf<Events> | Wildcard;

/** What a handler gets: the event of that name; for a pattern, any of those that match, told apart by `name`. */
export type Event<Events extends EventMap = AnyEvents, Pattern extends string = string> = {
  [Name in Matching<NameOf<Events>, Pattern>]: DeliveredEvent<Name, PayloadOut<Events[Name]>>;
}[Matching<NameOf<Events>, Pattern>];

/** Of these names, those that the pattern matches; all where either is not known until it runs. */
type Matching<Name extends string, Pattern extends string> = Name extends string
  ? true extends IsOpen<Name> | IsOpen<Pattern> | Matches<Words<Name>, Words<Pattern>>
    ? Name
    : never
  : never;

/** Whether it stands for texts that are not known, as `string` and `${string}.*` do: those make no property that must be there. */
type IsOpen<Text extends string> = Record<never, never> extends Record<Text, 1> ? true : false;

type Words<Text extends string> = Text extends `${infer First}.${infer Rest}` ? [First, ...Words<Rest>] : [Text];

type Matches<Name extends readonly string[], Pattern extends readonly string[]> = Pattern extends readonly [
  infer First,
  ...infer Rest extends readonly string[],
]
  ? First extends '#'
    ? MatchesRest<Name, Pattern, Rest>
    : Name extends readonly [infer Word, ...infer Others extends readonly string[]]
      ? First extends '*' | Word
        ? Matches<Others, Rest>
        : false
      : false
  : Name extends readonly []
    ? true
    : false;

/** `#` is nothing, or takes one more word. */
type MatchesRest<Name extends readonly string[], Pattern extends readonly string[], Rest extends readonly string[]> =
  Matches<Name, Rest> extends true
    ? true
    : Name extends readonly [string, ...infer Others extends readonly string[]]
      ? Matches<Others, Pattern>
      : false;
