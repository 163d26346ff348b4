import type { Ms } from 'wrkr/backend';
import type { Item } from './item.ts';

/** Items in order of arrival. One that is taken out of the middle leaves a hole until its turn. */
export class Fifo implements Iterable<Item> {
  #items: (Item | undefined)[] = [];
  /** Index of the first item that may be there. */
  #head = 0;
  /** Items that have been dropped from the front of the array: an item's slot counts from the first one ever. */
  #dropped = 0;
  #size = 0;
  #newest: Ms = 0;

  get size(): number {
    return this.#size;
  }

  /** When the newest was due that is or was among those that are here; 0 once it is empty. */
  get newest(): Ms {
    return this.#size === 0 ? 0 : this.#newest;
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let i = this.#head; i < this.#items.length; i++) if (this.#items[i]) yield this.#items[i] as Item;
  }

  push(item: Item): void {
    item.slot = this.#dropped + this.#items.push(item) - 1;
    this.#size++;
    this.#newest = item.at;
  }

  peek(): Item | undefined {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head];
      if (item) return item;
      this.#head++;
    }
    this.#dropped += this.#items.length;
    this.#items = [];
    this.#head = 0;
    return undefined;
  }

  remove(item: Item): boolean {
    const index = item.slot - this.#dropped;
    if (this.#items[index] !== item) return false;
    this.#items[index] = undefined;
    item.slot = -1;
    this.#size--;
    if (index === this.#head && ++this.#head > SPARE && this.#head > this.#items.length / 2) this.#dropHead();
    return true;
  }

  #dropHead(): void {
    this.#items = this.#items.slice(this.#head);
    this.#dropped += this.#head;
    this.#head = 0;
  }
}

/** Not worth copying below this. */
const SPARE = 1000;
