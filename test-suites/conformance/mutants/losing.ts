import { backendError, type Delivery, type Failure, type Ms } from 'wrkr/backend';
import { BROKER, type Breakable, type BreakIt, type Mutant } from './mutant.ts';
import { acks, consumes, delivers, extendsLeases, onConsumer, sends } from './wrap.ts';

const leaseOf = (change: (leaseMs: Ms) => Ms): BreakIt =>
  consumes(({ options }) => ({ options: { ...options, leaseMs: change(options.leaseMs) } }));

/** Acks what it hands out before anybody has seen it. */
const acksOnDelivery: BreakIt = (backend) => {
  let ack = (_: readonly Delivery[]): void => {};
  onConsumer((consumer) => {
    ack = (batch) => void consumer.settle(batch.map((d) => ({ d, do: 'ack' })));
  })(backend);
  consumes(({ sink }) => ({
    sink: {
      deliver: (batch) => {
        ack(batch);
        sink.deliver(batch);
      },
      lost: (batch, why) => sink.lost(batch, why),
    },
  }))(backend);
};

const losesOneIn = (many: number): BreakIt => {
  let sent = 0;
  return sends((out) => (++sent % many === 0 ? undefined : out));
};

/** Whoever holds it now. */
async function removeById({ broker }: Breakable, { queue, id }: Delivery): Promise<void> {
  const it = broker.queue(queue);
  for (const item of [...(it?.matching({ id }) ?? [])]) it?.remove(item);
}

/** A late ack ends the event, and this is what is said of it. */
function acksLate(say: (failures: readonly Failure[]) => readonly Failure[]): BreakIt {
  return acks(async (d, settle, backend) => {
    const failures = await settle({ d, do: 'ack' });
    if (failures.length > 0) await removeById(backend, d);
    return say(failures);
  });
}

const lostSink = (lost: (batch: readonly Delivery[]) => readonly Delivery[] | undefined): BreakIt =>
  consumes(({ sink }) => ({
    sink: {
      deliver: (batch) => sink.deliver(batch),
      lost: (batch, why) => {
        const told = batch === 'all' ? batch : lost(batch);
        if (told) sink.lost(told, why);
      },
    },
  }));

export const losing: readonly Mutant[] = [
  {
    breaks: 'acks what it hands out',
    caughtBy: 'crash.unsettled-come-back',
    breakIt: acksOnDelivery,
  },
  {
    breaks: 'counts every hand-out as the first',
    caughtBy: 'crash.handouts-are-counted',
    breakIt: delivers((d) => ({ ...d, handouts: 1 })),
  },
  {
    breaks: 'knows of an earlier hand-out, not of how many, and declares that it counts',
    caughtBy: 'crash.handouts-are-counted',
    breakIt: delivers((d) => ({ ...d, handouts: Math.min(2, d.handouts) })),
  },
  {
    breaks: 'loses one event in 37',
    caughtBy: 'crash.nothing-lost-nothing-invented',
    breakIt: losesOneIn(37),
  },
  {
    breaks: 'forgets acks now and then',
    caughtBy: 'crash.nothing-lost-nothing-invented',
    breakIt: (backend) => {
      let acked = 0;
      acks((d, settle) => (++acked % 5 === 0 ? Promise.resolve([]) : settle({ d, do: 'ack' })))(backend);
    },
  },
  {
    breaks: 'has leases without an end',
    caughtBy: 'lease.expires-to-another',
    breakIt: leaseOf(() => 1e12),
  },
  {
    breaks: 'ends leases at half their time',
    caughtBy: 'lease.expires-to-another',
    breakIt: leaseOf((leaseMs) => leaseMs / 2),
  },
  {
    breaks: 'tells nobody that a lease has ended',
    caughtBy: 'lease.expires-to-another',
    breakIt: lostSink(() => undefined),
  },
  {
    breaks: 'tells of an ended lease with another object than it delivered',
    caughtBy: 'lease.expires-to-another',
    breakIt: lostSink((batch) => batch.map((d) => ({ ...d }))),
  },
  {
    breaks: 'takes the ack of one who holds it no longer',
    caughtBy: 'lease.stale-ack-cannot-kill-new-holder',
    breakIt: acksLate(() => []),
  },
  {
    breaks: 'calls an ack stale and takes the event from its new holder',
    caughtBy: 'lease.stale-ack-cannot-kill-new-holder',
    breakIt: acksLate((failures) => failures),
  },
  {
    breaks: 'says of a late ack that it is done, and leaves the event',
    caughtBy: 'lease.stale-ack-leaves-the-event',
    breakIt: acks(async (d, settle) => {
      await settle({ d, do: 'ack' });
      return [];
    }),
  },
  {
    breaks: 'calls an ack stale and ends the event',
    caughtBy: 'lease.stale-ack-leaves-the-event',
    breakIt: acksLate((failures) => failures),
  },
  {
    breaks: 'extends no lease and says it did',
    caughtBy: 'lease.extend-holds',
    breakIt: extendsLeases(async () => []),
  },
  {
    breaks: 'extends leases by half of what was asked',
    caughtBy: 'lease.extend-holds',
    breakIt: extendsLeases((batch, forMs, extend) => extend(batch, forMs / 2)),
  },
  {
    breaks: 'says that it extended what is lost',
    caughtBy: 'lease.extend-after-loss-is-stale',
    breakIt: extendsLeases(async (batch, forMs, extend) => {
      await extend(batch, forMs);
      return [];
    }),
  },
  {
    breaks: 'extends none of a batch in which one is lost',
    caughtBy: 'lease.extend-after-loss-is-stale',
    breakIt: extendsLeases(async (batch, forMs, extend) => {
      const [failure] = await extend(batch, forMs);
      return failure ? batch.map((_, index) => ({ index, error: backendError('stale', 'it was lost') })) : [];
    }),
  },
  {
    breaks: 'does not say when a lease ends',
    caughtBy: 'lease.until-is-its-end',
    breakIt: delivers((d) => ({ ...d, leaseUntil: 0 })),
  },
  {
    breaks: 'says that a lease has no end',
    caughtBy: 'lease.until-is-its-end',
    breakIt: delivers((d) => ({ ...d, leaseUntil: Number.POSITIVE_INFINITY })),
  },
  {
    breaks: 'extends a lease and does not say until when',
    caughtBy: 'lease.until-is-its-end',
    breakIt: delivers((d) => ({ ...d })),
  },
  {
    breaks: 'says that a connection lease ends in half an hour',
    caughtBy: 'lease.until-the-connection-ends',
    declares: BROKER,
    breakIt: delivers((d, backend) => ({ ...d, leaseUntil: backend.now() + 1_800_000 })),
  },
  {
    breaks: 'counts an extension from the end of the lease',
    caughtBy: 'lease.extend-then-expires',
    breakIt: extendsLeases(async (batch, forMs, extend, backend) => {
      for (const d of batch) await extend([d], d.leaseUntil - backend.now() + forMs);
      return [];
    }),
  },
  {
    breaks: 'extends leases without an end',
    caughtBy: 'lease.extend-then-expires',
    breakIt: extendsLeases((batch, _, extend) => extend(batch, 1e12)),
  },
];
