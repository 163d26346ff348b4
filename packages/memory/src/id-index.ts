import type { Item } from './item.ts';

/** Items by id. An id is nearly always unique in its queue: a second one makes a list. */
export class IdIndex {
  readonly #items = new Map<string, Item | Item[]>();

  has(id: string): boolean {
    return this.#items.has(id);
  }

  get(id: string): readonly Item[] {
    const known = this.#items.get(id) ?? [];
    return Array.isArray(known) ? [...known] : [known];
  }

  add(item: Item): void {
    const known = this.#items.get(item.id);
    if (known === undefined) {
      this.#items.set(item.id, item);
      return;
    }
    const twins = Array.isArray(known) ? known : [known];
    for (const twin of [...twins, item]) twin.hasTwins = true;
    this.#items.set(item.id, [...twins, item]);
  }

  remove(item: Item): void {
    const left = item.hasTwins ? this.get(item.id).filter((twin) => twin !== item) : [];
    if (left.length === 0) this.#items.delete(item.id);
    else this.#items.set(item.id, [...left]);
  }
}
