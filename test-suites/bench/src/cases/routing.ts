import { BindingTrie } from 'wrkr/backend';

export interface Routing {
  readonly patterns: number;
}

const NAMES = 200_000;

/** Of one event with a name that was never seen before, five of whose queues' patterns match, in nanoseconds: [new, known] name. */
export async function routing({ patterns }: Routing): Promise<readonly number[]> {
  const trie = new BindingTrie<number>();
  const matching = ['orders.*.paid', 'orders.#', '#', '*.*.paid', '#.paid'];
  for (let q = 0; q < patterns; q++) trie.add(matching[q] ?? `service${q}.*.event${q}`, q);
  const time = (name: (i: number) => string, count: number): number => {
    const began = performance.now();
    for (let i = 0; i < count; i++) if (trie.match(name(i)).length !== 5) throw new Error('it does not match five');
    return ((performance.now() - began) / count) * 1e6;
  };
  time((i) => `orders.w${i}.paid`, NAMES);
  return [time((i) => `orders.n${i}.paid`, NAMES), time(() => 'orders.known.paid', NAMES)];
}
