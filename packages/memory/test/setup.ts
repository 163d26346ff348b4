import { MemoryBackend, type MemoryOptions } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import type { Backend, BackendError, Consumer, Delivery, Outgoing } from 'wrkr/backend';

export type Full = Required<Pick<Backend, 'browse' | 'cancel' | 'change' | 'stats'>> & MemoryBackend;

export interface World {
  readonly backend: Full;
  readonly clock: VirtualClock;
  readonly said: string[];
}

/** A backend that is open, with a queue `q`. */
export async function opened(options: MemoryOptions = {}, clock = new VirtualClock({ start: 1000 })): Promise<World> {
  const backend = new MemoryBackend(options) as Full;
  const said: string[] = [];
  const onState = (state: string, why?: BackendError): void => void said.push(why ? `${state}: ${why.message}` : state);
  await backend.open({ clock, log: () => {}, onState, onUnrouted: ({ id, name }) => said.push(`unrouted ${id} ${name}`) });
  await backend.bind([{ queue: 'q', kind: 'work' }]);
  return { backend, clock, said };
}

export const event = (id: string, more: Partial<Outgoing> = {}): Outgoing => {
  return { to: { queue: 'q' }, id, name: 'a', sentAt: 0, at: 0, headers: {}, body: new Uint8Array(), ...more };
};

export async function taking(
  backend: Backend,
  max = 100,
  leaseMs = 1000,
): Promise<{ consumer: Consumer; got: Delivery[]; lost: unknown[] }> {
  const got: Delivery[] = [];
  const lost: unknown[] = [];
  const sink = {
    deliver: (batch: readonly Delivery[]) => void got.push(...batch),
    lost: (batch: unknown) => void lost.push(batch),
  };
  const consumer = await backend.consume('q', sink, { max, leaseMs, kind: 'work' });
  return { consumer, got, lost };
}

export const idsOf = async (backend: Full, filter: object): Promise<readonly string[]> =>
  (await backend.browse({ queue: 'q', ...filter }, { limit: 100 })).items.map(({ id, tid }) => `${id}${tid ?? ''}`);
