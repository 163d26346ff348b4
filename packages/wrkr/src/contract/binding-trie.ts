/**
 * Which queues an event reaches: patterns of dot-separated words, where `*` is one word and `#` is zero or more. A wildcard in
 * first place does not match names that begin with `$`. Each value comes once, however many of its patterns match.
 *
 * Words are edges. Matching walks all paths at once, as a set of nodes per word, so its cost grows with the patterns that still
 * fit and not with all there are; a `#` stays in the set, and two of them in a row are one. Answers are kept per name until a
 * binding changes.
 */
export class BindingTrie<Value> {
  readonly #root = new Node<Value>();
  readonly #known = new Map<string, readonly Value[]>();

  /** Returns false if it was there. */
  add(pattern: string, value: Value): boolean {
    let node = this.#root;
    for (const word of pattern.split('.')) node = node.next(word);
    if (node.values.has(value)) return false;
    node.values.add(value);
    this.#known.clear();
    return true;
  }

  /** Returns false if it was not there. */
  remove(pattern: string, value: Value): boolean {
    const path = [this.#root];
    const words = pattern.split('.');
    for (const word of words) {
      const node = path[path.length - 1]?.words.get(word);
      if (!node) return false;
      path.push(node);
    }
    if (!path[words.length]?.values.delete(value)) return false;
    for (let i = words.length; i > 0 && path[i]?.empty; i--) path[i - 1]?.words.delete(words[i - 1] as string);
    this.#known.clear();
    return true;
  }

  match(name: string): readonly Value[] {
    const known = this.#known.get(name);
    if (known) return known;
    const found = this.#search(name);
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(name, found);
    return found;
  }

  #search(name: string): readonly Value[] {
    let nodes = new Set<Node<Value>>();
    reach(this.#root, nodes, !name.startsWith('$'));
    let wild = !name.startsWith('$');
    for (const word of name.split('.')) {
      const after = new Set<Node<Value>>();
      for (const node of nodes) {
        reach(node.words.get(word), after, true);
        if (wild) reach(node.words.get('*'), after, true);
        if (node.word === '#') reach(node, after, true);
      }
      nodes = after;
      wild = true;
    }
    const values = new Set<Value>();
    for (const node of nodes) for (const value of node.values) values.add(value);
    return [...values];
  }
}

/** Names are few and repeat; a program that invents them must not fill the memory. */
const MOST_KNOWN = 10_000;

class Node<Value> {
  readonly word: string;
  readonly words: Map<string, Node<Value>> = new Map();
  readonly values: Set<Value> = new Set();

  constructor(word = '') {
    this.word = word;
  }

  get empty(): boolean {
    return this.words.size === 0 && this.values.size === 0;
  }

  next(word: string): Node<Value> {
    let node = this.words.get(word);
    if (!node) {
      node = new Node(word);
      this.words.set(word, node);
    }
    return node;
  }
}

/** Adds a node and, because `#` may stand for nothing, the `#` below it. */
function reach<Value>(node: Node<Value> | undefined, into: Set<Node<Value>>, wild: boolean): void {
  if (!node || into.has(node)) return;
  into.add(node);
  if (wild) reach(node.words.get('#'), into, true);
}
