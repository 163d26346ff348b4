import type { Deduplicated, Filter, Outgoing, Stored } from 'wrkr/backend';
import type { Breakable, BreakIt, Mutant } from './mutant.ts';
import { acks, all, instead, moves, NOTHING_SENT, onQueues, sends, sendsBatches } from './wrap.ts';

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

/** Those of the first key of a batch. */
const found = async (backend: Breakable, [out]: readonly Outgoing[]): Promise<readonly Stored[]> =>
  out?.key === undefined ? [] : (await backend.browse({ key: out.key }, { limit: 1 })).items;

/** Stored without the key that would keep it out. */
const unkeyed = ({ id, ...out }: Outgoing): Outgoing => ({ ...out, id, key: `${out.key} ${id}` });

/** So many rounds of what else is going on. */
async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise<void>((resolve) => setImmediate(resolve));
}

const acksSlowly = acks(async (d, settle) => {
  await turns(1);
  return settle({ d, do: 'ack' });
});

export const keys: readonly Mutant[] = [
  {
    breaks: 'honours keys and does not declare it',
    caughtBy: 'caps.absent-means-absent',
    declares: { dedupe: false },
    breakIt: sendsBatches((batch, send) => send(batch.filter(({ key }, i) => batch.findIndex((one) => one.key === key) === i))),
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
    breaks: 'looks for a key first and stores afterwards',
    caughtBy: 'dedupe.concurrent',
    breakIt: sendsBatches(async (batch, send, backend) => {
      const [twin] = await found(backend, batch);
      await turns(1);
      return twin ? { failures: [], deduplicated: [{ index: 0, id: twin.id, at: twin.at }] } : send(batch.map(unkeyed));
    }),
  },
  {
    breaks: 'takes a key for free where its event is acked meanwhile, and stores nothing',
    caughtBy: 'dedupe.races-ack',
    breakIt: all(
      acksSlowly,
      sendsBatches(async (batch, send, backend) => {
        const twins = await found(backend, batch);
        await turns(2);
        return twins.length > 0 && (await found(backend, batch)).length === 0 ? NOTHING_SENT : send(batch);
      }),
    ),
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
];
