import { randomBytes } from 'node:crypto';
import type { Backend, Capabilities, Delivery, Ms, Sink } from 'wrkr/backend';
import { SystemClock } from 'wrkr/backend';
import { clean } from './clean.ts';
import type { Harness } from './harness.ts';
import { Witness } from './witness.ts';

/** A backend that was opened once, to see what it declares and how long it takes. */
export interface Probe {
  readonly backend: Backend;
  readonly capabilities: Capabilities;
  /** The same, but what it lets wait is what the scheduler, where there is one, lets wait. */
  readonly throughCore: Capabilities;
  /** Of 20 round trips, the 99th percentile. */
  readonly roundTripMs: Ms;
  /** How long a case waits for what must happen. */
  readonly mustComeMs: Ms;
}

const TRIPS = 21;
const LONGEST_TRIP: Ms = 1000;

/** A word that no other run has, on whatever server: the first part of every name that it uses. */
export function runName(): string {
  return `c${randomBytes(4).toString('hex')}`;
}

export async function probe(harness: Harness, prefix: string): Promise<Probe> {
  const namespace = `${prefix}probe`;
  const backend = await harness.create({ namespace });
  const clock = new SystemClock();
  await backend.open(new Witness(backend, () => {}).env(clock));
  const { capabilities } = backend;
  const queue = `${prefix}.probe`;
  const roundTripMs = await roundTrip(backend, queue);
  await backend.close();
  await clean(await harness.create({ namespace }), clock, [queue]);
  const throughCore = await throughCoreOf(capabilities, harness);
  return { backend, capabilities, throughCore, roundTripMs, mustComeMs: mustCome(roundTripMs, capabilities) };
}

async function throughCoreOf(capabilities: Capabilities, harness: Harness): Promise<Capabilities> {
  const scheduler = await harness.scheduler?.({ namespace: 'probe' });
  if (!scheduler) return capabilities;
  await scheduler.open(new Witness(scheduler, () => {}).env(new SystemClock()));
  const { delay, cancel, browse, filter, change, dedupe } = scheduler.capabilities;
  await scheduler.close();
  return { ...capabilities, delay, cancel, browse, filter, change, dedupe };
}

/**
 * 20 round trips, within bounds. Some of what must happen takes more than a round trip on a server, however quick that is: to
 * notice that a connection was lost, to build what a first delay needs.
 */
function mustCome(roundTripMs: Ms, { scope }: Capabilities): Ms {
  const least = scope === 'process' ? 500 : 5000;
  return Math.min(15_000, Math.max(least, 20 * roundTripMs));
}

/** The worst of the trips, as far as it got: a backend that cannot make them all is for the cases to tell. */
async function roundTrip(backend: Backend, queue: string): Promise<Ms> {
  const { real } = new SystemClock();
  const times: Ms[] = [0];
  const travel = travelling(backend, queue);
  await inTime(travel.next()); // it has to be built first
  for (let n = 1; n < TRIPS; n++) {
    const began = real.now();
    if (!(await inTime(travel.next()))) break;
    times.push(real.now() - began);
  }
  return Math.max(...times);
}

/** A step is an event there and back. */
async function* travelling(backend: Backend, queue: string): AsyncGenerator<void, never> {
  let arrived: (delivery: Delivery) => void = () => {};
  const sink: Sink = { deliver: (batch) => batch.forEach((delivery) => void arrived(delivery)), lost: () => {} };
  const consumer = await backend.consume(queue, sink, { max: TRIPS, leaseMs: 60_000, kind: 'work' });
  for (let n = 1; ; n++) {
    const arrival = new Promise<Delivery>((resolve) => {
      arrived = resolve;
    });
    const body = new Uint8Array(0);
    await backend.send([{ to: { queue }, id: `${queue}-${n}`, name: 'probe', sentAt: backend.now(), at: 0, headers: {}, body }]);
    await consumer.settle([{ d: await arrival, do: 'ack' }]);
    yield;
  }
}

/** Whether it is done in time. */
function inTime(travel: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const giveUp = new SystemClock().real.after(LONGEST_TRIP, () => resolve(false));
    const end = (done: boolean): void => {
      giveUp();
      resolve(done);
    };
    travel.then(
      () => end(true),
      () => end(false),
    );
  });
}
