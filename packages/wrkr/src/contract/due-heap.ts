import type { Ms } from './contract.ts';

/** What a {@link DueHeap} holds. The heap owns `slot`; -1 while the item is in none. */
export interface Due {
  readonly at: Ms;
  /** Breaks ties: order of arrival. */
  readonly seq: number;
  slot: number;
}

/**
 * Items by due time, then by arrival: a binary heap in one array in which each item knows its slot, so that a cancelled one is
 * taken out of the middle in O(log n) and leaves nothing behind. `at` and `seq` must not change while an item is in it.
 */
export class DueHeap<Item extends Due> implements Iterable<Item> {
  readonly #items: Item[] = [];

  /** In no order. */
  [Symbol.iterator](): Iterator<Item> {
    return this.#items.values();
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  pop(): Item | undefined {
    const first = this.#items[0];
    if (first) this.remove(first);
    return first;
  }

  /** Returns false if it was not in the heap. */
  remove(item: Item): boolean {
    const slot = item.slot;
    if (slot < 0) return false;
    item.slot = -1;
    const last = this.#items.pop() as Item;
    if (last === item) return true;
    if (slot > 0 && before(last, this.#items[(slot - 1) >> 1] as Item)) this.#rise(last, slot);
    else this.#sink(last, slot);
    return true;
  }

  #rise(item: Item, slot: number): void {
    while (slot > 0) {
      const above = (slot - 1) >> 1;
      const parent = this.#items[above] as Item;
      if (!before(item, parent)) break;
      this.#put(parent, slot);
      slot = above;
    }
    this.#put(item, slot);
  }

  #sink(item: Item, slot: number): void {
    const { length } = this.#items;
    for (let below = 2 * slot + 1; below < length; below = 2 * slot + 1) {
      let child = this.#items[below] as Item;
      const other = this.#items[below + 1];
      if (other && before(other, child)) {
        child = other;
        below++;
      }
      if (!before(child, item)) break;
      this.#put(child, slot);
      slot = below;
    }
    this.#put(item, slot);
  }

  #put(item: Item, slot: number): void {
    this.#items[slot] = item;
    item.slot = slot;
  }
}

function before(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.seq < b.seq);
}
