import { type Binding, BindingTrie, type Filter, type Headers, type Ms, type QueueKind } from 'wrkr/backend';
import { Item } from './item.ts';
import { Queue } from './queue.ts';

/**
 * What a server is elsewhere: queues and bindings, shared by every `MemoryBackend` that is given the same broker. It outlives them,
 * so that competing consumers, crashes and restarts can be had in one process.
 */
export class Broker {
  readonly #queues = new Map<string, Queue>();
  readonly #routes = new BindingTrie<Queue>();
  readonly #bindings = new Map<string, Binding>();

  queue(name: string): Queue | undefined {
    return this.#queues.get(name);
  }

  declare(name: string, kind: QueueKind): Queue {
    const queue = this.#queues.get(name) ?? new Queue(name, kind);
    this.#queues.set(name, queue);
    return queue;
  }

  bind(binding: Binding): void {
    const queue = this.declare(binding.queue, binding.kind);
    const { pattern } = binding;
    if (pattern !== undefined && this.#routes.add(pattern, queue)) this.#bindings.set(keyOf(binding), binding);
  }

  unbind(binding: Binding): void {
    const queue = this.#queues.get(binding.queue);
    if (!queue || binding.pattern === undefined) return;
    this.#routes.remove(binding.pattern, queue);
    this.#bindings.delete(keyOf(binding));
  }

  bindings(): readonly Binding[] {
    const declared = [...this.#queues.values()].map(({ name, kind }): Binding => ({ queue: name, kind }));
    return [...declared, ...this.#bindings.values()];
  }

  routes(event: string): readonly Queue[] {
    return this.#routes.match(event);
  }

  queues(filter: Filter): Iterable<Queue> {
    if (filter.queue === undefined) return this.#queues.values();
    const queue = this.#queues.get(filter.queue);
    return queue ? [queue] : [];
  }

  /** As a new item, last of its due time; the key goes with it within its queue. */
  move(item: Item, from: Queue, to: Queue, as: { readonly at: Ms; readonly now: Ms; readonly headers: Headers }): void {
    from.remove(item);
    const moved = new Item(item, to.name, as.at);
    moved.headers = as.headers;
    if (from !== to) delete moved.key;
    to.insert(moved, as.now);
  }

  drop(name: string): void {
    for (const binding of [...this.#bindings.values()]) if (binding.queue === name) this.unbind(binding);
    this.#queues.get(name)?.drop();
    this.#queues.delete(name);
  }
}

function keyOf({ queue, pattern }: Binding): string {
  return `${queue}\n${pattern}`;
}
