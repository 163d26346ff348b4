import { type Backend, type Failure, type Outgoing, SystemClock } from 'wrkr/backend';
import type { Created } from './harness.ts';
import { Tap } from './tap.ts';
import { Witness } from './witness.ts';

/** What a child does: with backends of the harness, what the case gave it, and a way to tell the case. */
export type ChildScript = (create: () => Created, data: object, tell: (message: unknown) => void) => Promise<void>;

interface Work {
  readonly queue: string;
  readonly event: string;
  readonly leaseMs: number;
}

async function opened(create: () => Created): Promise<Backend> {
  const backend = await create();
  await backend.open(new Witness(backend, () => {}).env(new SystemClock()));
  return backend;
}

async function consuming(backend: Backend, { queue, leaseMs }: Work, max: number): Promise<Tap> {
  const tap = new Tap(queue, () => backend.now());
  return tap.use(await backend.consume(queue, tap, { max, leaseMs, kind: 'work' }));
}

function outgoing(id: string, to: Outgoing['to'], at = 0): Outgoing {
  return { to, id, name: 'child.event', sentAt: 1, at, headers: {}, body: new Uint8Array([1]) };
}

/** Opens, works, holds something, closes; then it must end by itself. */
const worksAndCloses: ChildScript = async (create, data, tell) => {
  const work = data as Work;
  const backend = await opened(create);
  const tap = await consuming(backend, work, 1);
  await backend.send([outgoing('one', { queue: work.queue }), outgoing('two', { queue: work.queue })]);
  if (backend.capabilities.delay) await backend.send([outgoing('later', { queue: work.queue }, backend.now() + 3_600_000)]);
  await new Promise<void>((resolve) => {
    if (tap.all.length > 0) resolve();
    else tap.onDelivery = () => resolve();
  });
  await backend.close();
  tell('closed');
};

/** Publishes to subscribers until it is killed, and says which ids were confirmed. */
const publishes: ChildScript = async (create, data, tell) => {
  const { event } = data as Work;
  const backend = await opened(create);
  for (let n = 0; ; n++) {
    const ids = Array.from({ length: 20 }, (_, i) => `${event}-${n}-${i}`);
    await backend.send(ids.map((id) => outgoing(id, { event })));
    tell(ids);
  }
};

/** Moves each event that it gets to the end of its own queue, until it is killed. */
const moves: ChildScript = async (create, data, tell) => {
  const work = data as Work;
  const tap = await consuming(await opened(create), work, 10);
  tap.each((delivery) => {
    tell(delivery.id);
    void tap.move(delivery).catch(() => {});
  });
};

/** Acks what it gets, and says so before and after, until it is killed. */
const acks: ChildScript = async (create, data, tell) => {
  const work = data as Work;
  const tap = await consuming(await opened(create), work, 10);
  tap.each((delivery) => {
    const acked = (failures: readonly Failure[]): void => {
      if (failures.length === 0) tell({ acked: delivery.id });
    };
    tell({ acking: delivery.id });
    void tap.ack(delivery).then(acked, () => {});
  });
};

export const scripts: Readonly<Record<string, ChildScript>> = { worksAndCloses, publishes, moves, acks };
