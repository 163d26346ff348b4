import { type Chapter, it } from '../case.ts';
import { expectSame } from '../expect.ts';

/** Words that core lets pass, and that protocols, paths, queries and languages have their own ideas of. */
const ODD = ['a/b', 'a\\b', 'a"b', "a'b", 'a$b', 'a%2Fb', 'a+b', 'a~b', 'ž', 'Ž', '☺', '\u{1F40E}', '__proto__', 'constructor'];

/** The same letter, composed and not: two names. */
const LOOKALIKES = ['\u00e9', 'e\u0301'];

export const payloads: Chapter = {
  name: 'names and payloads',
  cases: [
    it(
      'names.weird-round-trip',
      'names, ids and tids arrive as they are, and no two of them are taken for one',
      async (world) => {
        const backend = await world.open();
        for (const word of [...ODD, ...LOOKALIKES]) await world.queue(backend, word, world.name(`e.${word}`));
        for (const word of [...ODD, ...LOOKALIKES]) {
          const [event, queue] = [world.name(`e.${word}`), world.name(word)];
          await world.send(backend, { to: { event }, id: queue, tid: word });
          const tap = await world.consume(backend, queue);
          const [delivery] = await world.arrive(tap, 1);
          expectSame(
            [delivery?.id, delivery?.name, delivery?.tid, delivery?.queue],
            [queue, event, word, queue],
            'the id, name, tid and queue',
          );
          await world.fence(backend, tap, 1);
        }
      },
    ),
    it('names.long', 'names of the greatest length that core allows arrive whole', async (world) => {
      const backend = await world.open();
      const long = (end: string): string => world.name('').padEnd(199, 'x') + end;
      const [queue, other, event] = [long('a'), long('b'), long('c')];
      await backend.bind([queue, other].map((one) => ({ queue: one, pattern: one === queue ? event : long('d'), kind: 'work' })));
      const id = await world.send(backend, { to: { event }, tid: 'ž'.repeat(100) });
      const tap = await world.consume(backend, queue);
      const [delivery] = await world.arrive(tap, 1);
      expectSame([delivery?.id, delivery?.name, delivery?.tid], [id, event, 'ž'.repeat(100)], 'the id, name and tid');
      await world.fence(backend, await world.consume(backend, other), 0);
    }),
    it('body.survives-moves', 'a body of any bytes is the same after five moves and a restart', async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const body = Uint8Array.from({ length: 1024 }, (_, i) => (i * 7) % 256);
      await world.send(backend, { to: { queue }, body });
      const tap = await world.consume(backend, queue);
      for (let i = 1; i <= 5; i++) await tap.move((await world.arrive(tap, i))[i - 1] as never);
      await world.arrive(tap, 6);
      await backend.close();
      const [delivery] = await world.arrive(await world.consume(await world.open(), queue), 1);
      expectSame(Uint8Array.from(delivery?.body ?? []), body, 'the body after five moves and a restart');
    }),
  ],
};
