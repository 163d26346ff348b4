import type { Filter, Stored } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { instead } from './wrap.ts';

type Cancel = Breakable['cancel'];
type Change = Breakable['change'];

const cancels = (change: (filter: Filter, cancel: Cancel, backend: Breakable) => ReturnType<Cancel>): BreakIt => {
  return (backend) => instead(backend, 'cancel', (cancel) => (filter) => change(filter, cancel, backend));
};

const changes = (
  change: (filter: Filter, to: Parameters<Change>[1], real: Change, backend: Breakable) => ReturnType<Change>,
): BreakIt => {
  return (backend) => instead(backend, 'change', (real) => (filter, to) => change(filter, to, real, backend));
};

const free = async (backend: Breakable, filter: Filter): Promise<readonly Stored[]> =>
  (await backend.browse(filter, { limit: 1000 })).items.filter(({ state }) => state !== 'held');

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
    breaks: 'cancels by queue, whatever the tid',
    caughtBy: 'cancel.by-tid',
    breakIt: cancels(({ tid: _, ...filter }, cancel) => cancel(filter)),
  },
  {
    breaks: 'cancels by queue, whatever the name',
    caughtBy: 'cancel.by-name',
    breakIt: cancels(({ name: _, ...filter }, cancel) => cancel(filter)),
  },
  {
    breaks: 'finds nothing to cancel by name',
    caughtBy: 'cancel.by-name',
    breakIt: cancels((filter, cancel) => (filter.name === undefined ? cancel(filter) : Promise.resolve(0))),
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
    breaks: 'changes everything but the time',
    caughtBy: 'change.to-a-later-time',
    breakIt: changes((filter, { at: _, ...to }, change) => change(filter, to)),
  },
  {
    breaks: 'changes to a time that is a second early',
    caughtBy: 'change.to-a-later-time',
    breakIt: changes((filter, { at, ...to }, change) => change(filter, at === undefined ? to : { ...to, at: at - 1000 })),
  },
  {
    breaks: 'reads what it changes, and stores it elsewhere a little later',
    caughtBy: 'change.races-claim',
    breakIt: changes(async (filter, { queue = '' }, _, backend) => {
      const items = await free(backend, filter);
      await new Promise<void>((resolve) => setImmediate(resolve));
      await backend.cancel(filter);
      await backend.send(items.map((item) => ({ ...item, to: { queue } })));
      return items.length;
    }),
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
];
