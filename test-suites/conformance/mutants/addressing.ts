import type { Deduplicated, Filter, Outgoing, Page, Stored } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { instead, moves, onQueues, sends, sendsBatches } from './wrap.ts';

type Cancel = Breakable['cancel'];
type Change = Breakable['change'];
type Browse = Breakable['browse'];

const cancels = (change: (filter: Filter, cancel: Cancel, backend: Breakable) => ReturnType<Cancel>): BreakIt => {
  return (backend) => instead(backend, 'cancel', (cancel) => (filter) => change(filter, cancel, backend));
};

const changes = (
  change: (filter: Filter, to: Parameters<Change>[1], real: Change, backend: Breakable) => ReturnType<Change>,
): BreakIt => {
  return (backend) => instead(backend, 'change', (real) => (filter, to) => change(filter, to, real, backend));
};

const browses = (
  change: (filter: Filter, page: Parameters<Browse>[1], browse: Browse, backend: Breakable) => Promise<Page>,
): BreakIt => {
  return (backend) => instead(backend, 'browse', (browse) => (filter, page) => change(filter, page, browse, backend));
};

/** Shows something else of each event; nothing where it gives undefined. */
const shows = (change: (item: Stored) => Stored | undefined): BreakIt =>
  browses(async (filter, page, browse) => {
    const { items, ...rest } = await browse(filter, page);
    return { ...rest, items: items.map(change).filter((item) => item !== undefined) };
  });

/** Looks for less than was asked for. */
const ignores = (...keys: readonly (keyof Filter)[]): BreakIt =>
  browses((filter, page, browse) =>
    browse(Object.fromEntries(Object.entries(filter).filter(([key]) => !keys.includes(key as keyof Filter))), page),
  );

const free = async (backend: Breakable, filter: Filter): Promise<readonly Stored[]> =>
  (await backend.browse(filter, { limit: 1000 })).items.filter(({ state }) => state !== 'held');

/** Says something else of what was not stored because of its key. */
const saysOfTwins = (say: (one: Deduplicated, out: Outgoing | undefined) => Deduplicated | undefined): BreakIt =>
  sendsBatches(async (batch, send) => {
    const { failures, deduplicated } = await send(batch);
    const said = deduplicated.map((one) => say(one, batch[one.index])).filter((one) => one !== undefined);
    return { failures, deduplicated: said };
  });

/** A key that was used once is used for ever. */
const keysForEver: BreakIt = (backend) => {
  const first = new Map<string, string>();
  sendsBatches(async (batch, send) => {
    const sent = await send(batch);
    const twin = batch.findIndex(({ key, id }) => key !== undefined && (first.get(key) ?? id) !== id);
    for (const { key, id } of batch) if (key !== undefined && !first.has(key)) first.set(key, id);
    if (twin < 0 || sent.deduplicated.length > 0) return sent;
    const id = first.get(batch[twin]?.key ?? '') ?? '';
    return { ...sent, deduplicated: [{ index: twin, id, at: backend.now() }] };
  })(backend);
};

/** A key that is in use in any queue. */
const keysOfAllQueues: BreakIt = sendsBatches(async (batch, send, backend) => {
  const [out] = batch;
  const [twin] = out?.key === undefined ? [] : (await backend.browse({ key: out.key }, { limit: 1 })).items;
  return twin ? { failures: [], deduplicated: [{ index: 0, id: twin.id, at: twin.at }] } : send(batch);
});

export const addressing: readonly Mutant[] = [
  {
    breaks: 'cancels what somebody holds',
    caughtBy: 'cancel.removes-waiting-only',
    breakIt: cancels(async ({ queue = '', id }, _, { broker }) => {
      const items = id === undefined ? [] : [...(broker.queue(queue)?.matching({ id }) ?? [])];
      for (const item of items) broker.queue(queue)?.remove(item);
      return items.length;
    }),
  },
  {
    breaks: 'counts what it was asked to cancel, not what it cancelled',
    caughtBy: 'cancel.removes-waiting-only',
    breakIt: cancels((filter, cancel) => cancel(filter).then(() => 1)),
  },
  {
    breaks: 'cancels a key in all queues',
    caughtBy: 'cancel.by-key-in-one-queue',
    breakIt: cancels(({ queue: _, ...filter }, cancel) => cancel(filter)),
  },
  {
    breaks: 'cancels all events of a queue, whatever the key',
    caughtBy: 'cancel.by-key-in-one-queue',
    breakIt: cancels(({ key: _, ...filter }, cancel) => cancel(filter)),
  },
  {
    breaks: 'counts first and cancels afterwards',
    caughtBy: 'cancel.races-claim',
    breakIt: cancels(async (filter, cancel, backend) => {
      const { length } = await free(backend, filter);
      await new Promise<void>((resolve) => setImmediate(resolve));
      await cancel(filter);
      return length;
    }),
  },
  {
    breaks: 'replaces the headers that it should merge',
    caughtBy: 'change.to-another-time-and-queue',
    breakIt: changes(async (filter, to, change, backend) => {
      const items = await free(backend, filter);
      const old = Object.fromEntries(items.flatMap(({ headers }) => Object.keys(headers).map((key) => [key, ''])));
      return change(filter, { ...to, headers: { ...old, ...to.headers } });
    }),
  },
  {
    breaks: 'changes no headers',
    caughtBy: 'change.to-another-time-and-queue',
    breakIt: changes((filter, { headers: _, ...to }, change) => change(filter, to)),
  },
  {
    breaks: 'copies what it should move',
    caughtBy: 'change.to-another-time-and-queue',
    breakIt: changes(async (filter, to, change, backend) => {
      const before = await free(backend, filter);
      const count = await change(filter, to);
      await backend.send(before.map((item) => ({ ...item, to: { queue: item.queue } })));
      return count;
    }),
  },
  {
    breaks: 'changes all events of a queue, whatever the id',
    caughtBy: 'change.to-another-time-and-queue',
    breakIt: changes(({ id: _, ...filter }, to, change) => change(filter, to)),
  },
  {
    breaks: 'makes the queue that a change should go to',
    caughtBy: 'change.to-missing-queue-changes-nothing',
    breakIt: changes(async (filter, to, change, backend) => {
      if (to.queue !== undefined) await backend.bind([{ queue: to.queue, kind: 'work' }]);
      return change(filter, to);
    }),
  },
  {
    breaks: 'takes what it cannot put anywhere away',
    caughtBy: 'change.to-missing-queue-changes-nothing',
    breakIt: changes(async (filter, to, change, backend) => {
      if (to.queue !== undefined && !backend.broker.queue(to.queue)) await backend.cancel(filter);
      return change(filter, to);
    }),
  },
  {
    breaks: 'ignores keys',
    caughtBy: 'dedupe.same-key-once',
    breakIt: sends(({ key: _, ...out }) => out),
  },
  {
    breaks: 'frees a key when its event is handed out',
    caughtBy: 'dedupe.same-key-once',
    breakIt: onQueues((queue) =>
      instead(queue, 'bearerOf', (bearerOf) => (key) => (bearerOf(key)?.holder ? undefined : bearerOf(key))),
    ),
  },
  { breaks: 'frees no key, not even with an ack', caughtBy: 'dedupe.same-key-once', breakIt: keysForEver },
  {
    breaks: 'does not say that it stored nothing',
    caughtBy: 'dedupe.same-key-once',
    breakIt: saysOfTwins(() => undefined),
  },
  {
    breaks: 'names the event that was not stored, not the one that is there',
    caughtBy: 'dedupe.same-key-once',
    breakIt: saysOfTwins((one, out) => ({ ...one, id: out?.id ?? one.id })),
  },
  {
    breaks: 'takes an event that is sent again for a duplicate of itself',
    caughtBy: 'dedupe.meets-itself',
    breakIt: sendsBatches(async (batch, send, backend) => {
      const there = await free(backend, { key: batch[0]?.key ?? '' });
      const sent = await send(batch);
      return { ...sent, deduplicated: there.map(({ id, at }) => ({ index: 0, id, at })) };
    }),
  },
  {
    breaks: 'has one set of keys for all queues',
    caughtBy: 'dedupe.per-queue',
    breakIt: keysOfAllQueues,
  },
  {
    breaks: 'loses the key of what is moved within its queue',
    caughtBy: 'dedupe.per-queue',
    breakIt: moves(async (move, settle, backend) => {
      const { key: _, ...out } = { ...move.d, to: { queue: move.queue }, at: move.at, headers: move.headers };
      await backend.send([out]);
      return settle({ d: move.d, do: 'ack' });
    }),
  },
  {
    breaks: 'keeps the key of what has left for another queue',
    caughtBy: 'dedupe.dropped-with-the-queue',
    breakIt: keysForEver,
  },
  {
    breaks: 'takes what it shows',
    caughtBy: 'browse.shows-without-consuming',
    breakIt: browses(async (filter, page, browse, backend) => {
      const shown = await browse(filter, page);
      await backend.cancel(filter);
      return shown;
    }),
  },
  {
    breaks: 'shows nothing that is held',
    caughtBy: 'browse.shows-without-consuming',
    breakIt: shows((item) => (item.state === 'held' ? undefined : item)),
  },
  {
    breaks: 'shows what is delayed as ready',
    caughtBy: 'browse.shows-without-consuming',
    breakIt: shows((item) => (item.state === 'delayed' ? { ...item, state: 'ready' } : item)),
  },
  {
    breaks: 'shows events without their bodies',
    caughtBy: 'browse.shows-without-consuming',
    breakIt: shows((item) => ({ ...item, body: new Uint8Array(0) })),
  },
  { breaks: 'finds by everything but the name', caughtBy: 'browse.filters', breakIt: ignores('name') },
  { breaks: 'finds by everything but the tid', caughtBy: 'browse.filters', breakIt: ignores('tid') },
  { breaks: 'finds by everything but the key', caughtBy: 'browse.filters', breakIt: ignores('key') },
  { breaks: 'finds everything by an id', caughtBy: 'browse.filters', breakIt: ignores('id') },
  {
    breaks: 'finds by the first key of several',
    caughtBy: 'browse.filters',
    breakIt: browses((filter, page, browse) =>
      filter.tid && filter.name ? browse({ tid: filter.tid }, page) : browse(filter, page),
    ),
  },
  {
    breaks: 'leaves out an event between two pages',
    caughtBy: 'browse.pages',
    breakIt: browses(async (filter, page, browse) => {
      const { items, ...rest } = await browse(filter, page);
      return { ...rest, items: page.after === undefined ? items : items.slice(1) };
    }),
  },
  {
    breaks: 'shows the first page again and again',
    caughtBy: 'browse.pages',
    breakIt: browses((filter, { limit }, browse) => browse(filter, { limit })),
  },
  {
    breaks: 'shows all on one page',
    caughtBy: 'browse.pages',
    breakIt: browses((filter, _, browse) => browse(filter, { limit: 1000 })),
  },
  {
    breaks: 'has one page',
    caughtBy: 'browse.pages',
    breakIt: browses(async (filter, page, browse) => ({ items: (await browse(filter, page)).items })),
  },
];
