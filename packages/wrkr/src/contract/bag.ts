/** What a {@link Bag} holds. The bag owns `slot`; -1 while the item is in none. */
export interface Bagged {
  slot: number;
}

/** A collection without order whose items know their place: adding and removing cost no hashing. */
export class Bag<Item extends Bagged> implements Iterable<Item> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Of a copy: items may go while it runs. */
  [Symbol.iterator](): Iterator<Item> {
    return [...this.#items].values();
  }

  add(item: Item): void {
    item.slot = this.#items.push(item) - 1;
  }

  /** Returns false if it was not in it. */
  remove(item: Item): boolean {
    const { slot } = item;
    if (this.#items[slot] !== item) return false;
    const last = this.#items.pop() as Item;
    if (last !== item) {
      this.#items[slot] = last;
      last.slot = slot;
    }
    item.slot = -1;
    return true;
  }
}
