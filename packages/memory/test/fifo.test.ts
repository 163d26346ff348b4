import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fifo } from '../src/fifo.ts';
import { Item } from '../src/item.ts';

const item = (id: number): Item =>
  new Item({ to: { queue: 'q' }, id: String(id), name: 'a', sentAt: 0, at: 0, headers: {}, body: new Uint8Array() }, 'q', 0);

describe('the fifo', () => {
  it('gives items in the order in which they came, whatever is taken out of its middle', () => {
    const step = fc.oneof(fc.constant('push'), fc.constant('take'), fc.nat(50));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const fifo = new Fifo();
        let model: Item[] = [];
        let count = 0;
        for (const one of steps) {
          if (one === 'push') {
            const fresh = item(++count);
            fifo.push(fresh);
            model.push(fresh);
          } else {
            const gone = one === 'take' ? model[0] : model[Number(one) % Math.max(1, model.length)];
            if (gone) expect(fifo.remove(gone)).toBe(true);
            if (gone) expect(fifo.remove(gone)).toBe(false);
            model = model.filter((other) => other !== gone);
          }
          expect(fifo.peek()).toBe(model[0]);
          expect([...fifo]).toEqual(model);
          expect(fifo.size).toBe(model.length);
        }
      }),
    );
  });

  it('lets go of what has been taken from a long line', () => {
    const fifo = new Fifo();
    const items = Array.from({ length: 5000 }, (_, i) => item(i));
    for (const one of items) fifo.push(one);
    for (const one of items.slice(0, 3000)) expect(fifo.remove(one)).toBe(true);
    expect(fifo.peek()).toBe(items[3000]);
    expect(fifo.remove(items[4999] as Item)).toBe(true);
    expect(fifo.size).toBe(1999);
  });
});
