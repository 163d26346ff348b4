import { MemoryBackend } from '@wrkr/memory';
import { type Recorder, recorder, VirtualClock } from '@wrkr/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Wrkr } from 'wrkr';

let wrkr: Wrkr;
let record: Recorder;

beforeEach(async () => {
  wrkr = new Wrkr({ backend: new MemoryBackend(), clock: new VirtualClock() });
  record = recorder(wrkr);
  await wrkr.start();
  onTestFinished(() => wrkr.stop());
});

describe('the recorder', () => {
  it('keeps what was published, in order, and by name', async () => {
    await wrkr.publish([{ name: 'a', tid: '1' }, { name: 'b' }, { name: 'a', tid: '2' }]);
    expect(record.published().map(({ name }) => name)).toEqual(['a', 'b', 'a']);
    expect(record.published('a').map(({ tid }) => tid)).toEqual(['1', '2']);
    record.stop();
    await wrkr.publish({ name: 'c' });
    expect(record.published('c')).toEqual([]);
  });

  it('finds one by some of its fields, some of its payload, and when it is due', async () => {
    const payload = { plan: 'pro', seats: 5, owner: { id: 1, name: 'x' }, tags: ['a', 'b'], at: new Date(5) };
    const { id, when } = await wrkr.publish({ name: 'user.added', tid: 'u1', payload, when: '7 days' });
    expect(record.expectPublished('user.added').id).toBe(id);
    expect(
      record.expectPublished('user.added', { tid: 'u1', payload: { owner: { id: 1 }, tags: ['a', 'b'], at: new Date(5) } })
        .payload,
    ).toEqual(payload);
    expect(record.expectPublished('user.added', { when: '7 days' }).id).toBe(id);
    expect(record.expectPublished('user.added', { when }).id).toBe(id);
  });

  it.each<[string, object]>([
    ['another tid', { tid: 'u2' }],
    ['another part of the payload', { payload: { plan: 'free' } }],
    ['a part of a list', { payload: { tags: ['a'] } }],
    ['a part that is not there', { payload: { plan: 'pro', more: 1 } }],
    ['another time', { when: '6 days' }],
  ])('says what there was, if it is asked for %s', async (_, match) => {
    await wrkr.publish({ name: 'user.added', tid: 'u1', payload: { plan: 'pro', tags: ['a', 'b'], big: 5n }, when: '7 days' });
    expect(() => record.expectPublished('user.added', match)).toThrow(/no 'user.added' was published that matches .*"tid":"u1"/);
    expect(() => record.expectPublished('other')).toThrow("no 'other' was published");
  });
});
