export { backendError, isBackendError } from './contract/backend-error.ts';
export { Bag, type Bagged } from './contract/bag.ts';
export { BindingTrie } from './contract/binding-trie.ts';
export type * from './contract/contract.ts';
export { type Due, DueHeap } from './contract/due-heap.ts';
export { RELAY } from './contract/words.ts';
export { SystemClock } from './time/clock.ts';
export { spanOf } from './time/when.ts';
