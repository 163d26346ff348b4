import { backendError, type Filter, type Headers, type Ms, type Page } from 'wrkr/backend';
import type { Broker } from './broker.ts';
import type { Item } from './item.ts';
import type { Queue } from './queue.ts';

/** What is looked for, and changed, by filter: past the consumers, who meanwhile go on. */
export class ByFilter {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  cancel(filter: Filter): number {
    let count = 0;
    for (const [queue, item] of this.#free(filter)) {
      queue.remove(item);
      count++;
    }
    return count;
  }

  change(filter: Filter, to: { readonly at?: Ms; readonly queue?: string; readonly headers?: Headers }, now: Ms): number {
    const target = to.queue === undefined ? undefined : this.#broker.queue(to.queue);
    if (to.queue !== undefined && !target) throw backendError('invalid', `there is no queue '${to.queue}'`);
    let count = 0;
    for (const [queue, item] of this.#free(filter)) {
      this.#broker.move(item, queue, target ?? queue, { at: to.at ?? item.at, now, headers: merged(item.headers, to.headers) });
      count++;
    }
    return count;
  }

  /** In order of arrival; a page goes on after the arrival that ended the one before. */
  browse(filter: Filter, page: { readonly limit: number; readonly after?: string }, now: Ms): Page {
    const after = Number(page.after ?? 0);
    if (!Number.isSafeInteger(after)) throw backendError('invalid', `it never gave '${page.after}' as the next page`);
    const found: Item[] = [];
    for (const queue of this.#broker.queues(filter)) {
      for (const item of queue.matching(filter)) if (item.seq > after) found.push(item);
    }
    found.sort((a, b) => a.seq - b.seq);
    const items = found.slice(0, page.limit).map((item) => item.stored(now));
    return found.length > page.limit ? { items, next: String(found[page.limit - 1]?.seq) } : { items };
  }

  /** What nobody holds. */
  *#free(filter: Filter): Iterable<[Queue, Item]> {
    for (const queue of this.#broker.queues(filter)) {
      for (const item of queue.matching(filter)) if (!item.holder) yield [queue, item];
    }
  }
}

function merged(headers: Headers, changes: Headers = {}): Headers {
  return Object.fromEntries(Object.entries({ ...headers, ...changes }).filter(([, value]) => value !== ''));
}
