import { MemoryBackend } from '@wrkr/memory';
import * as v from 'valibot';
import { describe, expectTypeOf, it } from 'vitest';
import { type DeliveredEvent, type Event, type EventInput, type EventMap, type Handler, type Receipt, Wrkr } from 'wrkr';
import * as z from 'zod';

/*
 * What the types promise. Nothing of it runs: the expectations are checked when the tests are compiled, which `npm test` and
 * `npm run check` do first; `test-suites/house/test/types.test.ts` shows that a wrong one fails there.
 */

interface Events {
  'user.added': { plan: 'free' | 'pro' };
  'user.gone': undefined;
  'order.paid': { sum: number };
  'order.item.sent': string;
}

const backend = new MemoryBackend();
const wrkr = new Wrkr<Events>({ backend });
const untyped = new Wrkr({ backend });
const schemas = new Wrkr({
  backend,
  catalogue: {
    'user.born': z.object({ at: z.iso.date().transform((text) => new Date(text)) }),
    'user.asked': v.object({ times: v.optional(v.number(), 1) }),
    'user.gone': z.undefined(),
  },
});

/** Compiled, never called. */
const never = (_: () => unknown): void => {};

describe('publish', () => {
  it('takes the names and payloads of the map', () => {
    never(() => wrkr.publish({ name: 'user.added', payload: { plan: 'pro' }, tid: 'ada', when: '7 days' }));
    never(() => wrkr.publish([{ name: 'user.gone' }, { name: 'order.paid', payload: { sum: 1 } }]));
    // @ts-expect-error misspelled
    never(() => wrkr.publish({ name: 'user.add', payload: { plan: 'pro' } }));
    // @ts-expect-error misspelled, in a list
    never(() => wrkr.publish([{ name: 'user.gone' }, { name: 'order.payed', payload: { sum: 1 } }]));
    // @ts-expect-error a pattern is no name
    never(() => wrkr.publish({ name: 'user.*' }));
    // @ts-expect-error another event's payload
    never(() => wrkr.publish({ name: 'user.added', payload: { sum: 1 } }));
    // @ts-expect-error the payload is missing
    never(() => wrkr.publish({ name: 'user.added' }));
    // @ts-expect-error there is none
    never(() => wrkr.publish({ name: 'user.gone', payload: 5 }));
    // @ts-expect-error no such field
    never(() => wrkr.publish({ name: 'user.gone', delay: '7 days' }));
    // @ts-expect-error an id is text
    never(() => wrkr.publish({ name: 'user.gone', tid: 5 }));
  });

  it('gives one receipt for one event and several for several', () => {
    never(() => {
      expectTypeOf(wrkr.publish({ name: 'user.gone' })).resolves.toEqualTypeOf<Receipt>();
      expectTypeOf(wrkr.publish([{ name: 'user.gone' }])).resolves.toEqualTypeOf<readonly Receipt[]>();
    });
  });

  it('takes an event whose name is one of several, if its payload fits', () => {
    const one = { name: 'user.gone' } as EventInput<Events>;
    never(() => wrkr.publish(one));
    expectTypeOf<EventInput<Events>['name']>().toEqualTypeOf<keyof Events>();
  });
});

describe('subscribe', () => {
  it('gives the handler the event of that name', () => {
    never(() =>
      wrkr.subscribe('team', 'user.added', (event) => {
        expectTypeOf(event).toEqualTypeOf<DeliveredEvent<'user.added', { plan: 'free' | 'pro' }>>();
        expectTypeOf(event.tid).toEqualTypeOf<string | undefined>();
      }),
    );
    never(() => wrkr.subscribe('team', 'user.gone', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<undefined>()));
    // @ts-expect-error misspelled
    never(() => wrkr.subscribe('team', 'user.aded', () => {}));
  });

  it('with * gives those that have one word there, told apart by name', () => {
    never(() =>
      wrkr.subscribe('team', 'user.*', (event) => {
        expectTypeOf(event.name).toEqualTypeOf<'user.added' | 'user.gone'>();
        if (event.name === 'user.added') expectTypeOf(event.payload.plan).toEqualTypeOf<'free' | 'pro'>();
        else expectTypeOf(event.payload).toEqualTypeOf<undefined>();
      }),
    );
    never(() => wrkr.subscribe('team', 'order.*', ({ name }) => expectTypeOf(name).toEqualTypeOf<'order.paid'>()));
    never(() => wrkr.subscribe('team', 'order.*.sent', ({ name }) => expectTypeOf(name).toEqualTypeOf<'order.item.sent'>()));
  });

  it('with # gives those that have zero or more words there', () => {
    never(() => wrkr.subscribe('team', '#', ({ name }) => expectTypeOf(name).toEqualTypeOf<keyof Events>()));
    never(() =>
      wrkr.subscribe('team', 'order.#', ({ name }) => expectTypeOf(name).toEqualTypeOf<'order.paid' | 'order.item.sent'>()),
    );
    never(() => wrkr.subscribe('team', '#.sent', ({ name }) => expectTypeOf(name).toEqualTypeOf<'order.item.sent'>()));
    never(() => wrkr.subscribe('team', 'user.gone.#', ({ name }) => expectTypeOf(name).toEqualTypeOf<'user.gone'>()));
    never(() => wrkr.subscribe('team', '*.#.*', ({ name }) => expectTypeOf(name).toEqualTypeOf<keyof Events>()));
  });

  it('with a pattern that matches nothing gives nothing', () => {
    never(() => wrkr.subscribe('team', 'invoice.*', (event) => expectTypeOf(event).toBeNever()));
  });

  it('with a pattern that is known when it runs gives any of them', () => {
    const words: string = 'user';
    never(() => wrkr.subscribe('team', `${words}.*`, ({ name }) => expectTypeOf(name).toEqualTypeOf<keyof Events>()));
    const open = new Wrkr<Record<`user.${string}`, number>>({ backend });
    never(() => open.publish({ name: 'user.added.twice', payload: 5 }));
    never(() => open.subscribe('team', 'user.*', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<number>()));
    // @ts-expect-error not one of its names
    never(() => open.publish({ name: 'order.paid', payload: 5 }));
  });

  it('takes handlers that were written apart', () => {
    const handler: Handler<Events, 'user.*'> = ({ name }) => expectTypeOf(name).toEqualTypeOf<'user.added' | 'user.gone'>();
    never(() => wrkr.subscribe('team', 'user.*', handler));
    const narrow = (event: Event<Events, 'user.added'>): string => event.payload.plan;
    never(() => wrkr.subscribe('team', 'user.added', narrow));
    // @ts-expect-error it cannot take all that the pattern matches
    never(() => wrkr.subscribe('team', 'user.*', narrow));
    const wide = ({ id, name }: { id: string; name: string }): string => id + name;
    never(() => wrkr.subscribe('team', '#', wide));
  });

  it('types what the handler publishes as a follow-up, and its acks', () => {
    never(() =>
      wrkr.subscribe('team', 'user.added', async (_, ack, { followUp, signal, log }) => {
        expectTypeOf(await followUp({ name: 'order.paid', payload: { sum: 1 }, when: '7 days' })).toEqualTypeOf<Receipt>();
        // @ts-expect-error misspelled
        await followUp({ name: 'order.payed', payload: { sum: 1 } });
        // @ts-expect-error another event's payload
        await followUp({ name: 'order.paid', payload: { plan: 'pro' } });
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        expectTypeOf(log.info).parameter(0).toBeString();
        expectTypeOf([ack(), ack(new Error()), ack.retry('1 hour'), ack.later(5), ack.dead('why')]).toEqualTypeOf<boolean[]>();
        // @ts-expect-error later needs a time
        ack.later();
      }),
    );
  });

  it('refuses options that it does not have', () => {
    // @ts-expect-error misspelled
    never(() => wrkr.subscribe('team', '#', () => {}, { concurency: 5 }));
    // @ts-expect-error one of two words
    never(() => wrkr.subscribe('team', '#', () => {}, { ack: 'never' }));
  });
});

describe('a catalogue', () => {
  it('is where names and payloads are inferred from: what goes in at publish', () => {
    never(() => schemas.publish([{ name: 'user.born', payload: { at: '1815-12-10' } }, { name: 'user.gone' }]));
    never(() => schemas.publish([{ name: 'user.asked', payload: {} }]));
    // @ts-expect-error a Date is what comes out
    never(() => schemas.publish({ name: 'user.born', payload: { at: new Date() } }));
    // @ts-expect-error misspelled
    never(() => schemas.publish({ name: 'user.borne', payload: { at: '1815-12-10' } }));
  });

  it('and what comes out at the handler', () => {
    never(() => schemas.subscribe('team', 'user.born', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ at: Date }>()));
    never(() =>
      schemas.subscribe('team', 'user.*', async (event, _, { followUp }) => {
        expectTypeOf(event.name).toEqualTypeOf<'user.born' | 'user.asked' | 'user.gone'>();
        if (event.name === 'user.asked') expectTypeOf(event.payload).toEqualTypeOf<{ times: number }>();
        await followUp({ name: 'user.born', payload: { at: '1815-12-10' } });
        // @ts-expect-error a Date is what comes out
        await followUp({ name: 'user.born', payload: { at: new Date() } });
      }),
    );
  });
});

describe('a bus without a map', () => {
  it('takes every name and any payload, and gives what is unknown', () => {
    never(() => untyped.publish({ name: 'anything', payload: 5 }));
    never(() => untyped.publish([{ name: 'anything' }, { name: 'else', payload: { n: 1n } }]));
    never(() =>
      untyped.subscribe('team', 'anything', (event, _, { followUp }) => {
        expectTypeOf(event.name).toEqualTypeOf<string>();
        expectTypeOf(event.payload).toEqualTypeOf<unknown>();
        return followUp({ name: 'whatever' });
      }),
    );
    // @ts-expect-error no such field
    never(() => untyped.publish({ name: 'anything', paylod: 5 }));
    // @ts-expect-error the name is missing
    never(() => untyped.publish({ payload: 5 }));
  });
});

describe('a function that takes a bus', () => {
  it('of any events takes what it needs of it, or is generic', () => {
    const health = (bus: Pick<Wrkr, 'state' | 'stats' | 'capabilities' | 'on' | 'stop'>): string => bus.state;
    const generic = <Some extends EventMap>(bus: Wrkr<Some>): string => bus.state;
    for (const bus of [health, generic]) never(() => [bus(untyped), bus(wrkr as never)]);
    never(() => [health(wrkr), health(schemas), generic(wrkr), generic(schemas)]);
  });

  it('that may publish what it likes does not take one that has a map', () => {
    const anything = (bus: Wrkr): unknown => bus.publish({ name: 'not in the map' });
    never(() => anything(untyped));
    // @ts-expect-error it could publish what the map does not have
    never(() => anything(wrkr));
    const all = (bus: Wrkr<Events>): unknown => bus.publish({ name: 'user.gone' });
    // @ts-expect-error its events may be anything
    never(() => all(untyped));
  });
});
