import { v5, v7, validate, version } from 'uuid';
import { describe, expect, it } from 'vitest';
import { setup } from './setup.ts';

describe('an id', () => {
  it('is a UUIDv7 of the time of publishing', async () => {
    const { wrkr, clock } = setup();
    await wrkr.start();
    for (const ms of [0, 1, 86_400_000]) {
      await clock.advance(ms);
      const { id } = await wrkr.publish({ name: 'a' });
      expect([validate(id), version(id)]).toEqual([true, 7]);
      expect(id.slice(0, 13)).toBe(v7({ msecs: clock.now() }).slice(0, 13));
    }
  });

  it('of a follow-up is a UUIDv5: the same for each attempt', async () => {
    const { wrkr, clock } = setup();
    const ids: string[] = [];
    const handler: Parameters<typeof wrkr.subscribe>[2] = async (_, __, { followUp }) => {
      const { id } = await followUp({ name: 'b', tid: 't', when: '1 day' });
      ids.push(id);
      if (ids.length === 1) throw new Error('again');
    };
    await wrkr.subscribe('team', 'a', handler);
    await wrkr.start();
    await wrkr.publish({ name: 'a', id: 'parent' });
    await clock.advance('1 hour');
    const name = JSON.stringify(['parent', 'team', 'b', 't', 0]);
    const expected = v5(name, 'c1b6e7d8-5d0e-4f53-9f0c-6f1f7c2a9b47');
    expect(ids).toEqual([expected, expected]);
    expect([validate(expected), version(expected)]).toEqual([true, 5]);
  });
});
