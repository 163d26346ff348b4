import type { Backend, Clock } from 'wrkr/backend';
import { Witness } from './witness.ts';

/** Drops the queues that may have been made under these names. Dropping what was never a queue is harmless. */
export async function clean(backend: Backend, clock: Clock, names: Iterable<string>): Promise<void> {
  if (!backend.drop) return;
  const queues = [...names].filter((name) => !/[*#]/.test(name)).flatMap((name) => [name, `${name}.dead`]);
  await backend.open(new Witness(backend, () => {}).env(clock));
  await Promise.all(queues.map((queue) => backend.drop?.(queue)));
  await backend.close();
}
