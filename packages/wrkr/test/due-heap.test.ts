import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bag } from '../src/contract/bag.ts';
import { DueHeap } from '../src/contract/due-heap.ts';

interface Item {
  at: number;
  seq: number;
  slot: number;
}

const byDue = (a: Item, b: Item): number => a.at - b.at || a.seq - b.seq;

describe('the due heap', () => {
  it('gives items by due time, then by arrival, whatever is taken out of its middle', () => {
    const step = fc.oneof(fc.record({ push: fc.nat(20) }), fc.record({ remove: fc.nat(30) }), fc.constant({ pop: true }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const heap = new DueHeap<Item>();
        let model: Item[] = [];
        let seq = 0;
        for (const one of steps) {
          if ('push' in one) {
            const item = { at: one.push, seq: ++seq, slot: -1 };
            heap.push(item);
            model.push(item);
          } else if ('remove' in one) {
            const item = model[one.remove % Math.max(1, model.length)];
            if (item) expect(heap.remove(item)).toBe(true);
            if (item) expect(heap.remove(item)).toBe(false);
            model = model.filter((other) => other !== item);
          } else {
            model.sort(byDue);
            expect(heap.pop()).toBe(model.shift());
          }
          model.sort(byDue);
          expect(heap.peek()).toBe(model[0]);
          expect(heap.size).toBe(model.length);
        }
        expect([...heap].sort(byDue)).toEqual(model);
      }),
    );
  });
});

describe('the bag', () => {
  it('has what was added and not removed', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 40 }), (steps) => {
        const bag = new Bag<Item>();
        const items = Array.from({ length: 10 }, (_, seq) => ({ at: 0, seq, slot: -1 }));
        const model = new Set<Item>();
        for (const step of steps) {
          const item = items[step] as Item;
          if (model.has(item)) {
            expect(bag.remove(item)).toBe(model.delete(item));
          } else {
            expect(bag.remove(item)).toBe(false);
            bag.add(item);
            model.add(item);
          }
          expect(new Set(bag)).toEqual(model);
          expect(bag.size).toBe(model.size);
        }
      }),
    );
  });
});
