import type { Outgoing } from 'wrkr/backend';
import type { Breakable, BreakIt } from './mutant.ts';
import { sendsBatches } from './wrap.ts';

export type Fits = (pattern: string, event: string) => boolean;

/** As it should be: `*` is one word, `#` is zero or more. */
export const fits: Fits = (pattern, event) => wordsFit(pattern.split('.'), event.split('.'));

function wordsFit(pattern: readonly string[], event: readonly string[]): boolean {
  const [word, ...rest] = pattern;
  if (word === undefined) return event.length === 0;
  if (word === '#') return wordsFit(rest, event) || (event.length > 0 && wordsFit(pattern, event.slice(1)));
  return event.length > 0 && (word === '*' || word === event[0]) && wordsFit(rest, event.slice(1));
}

/** The queues that an event is routed to, by bindings that are compared in another way: one for each binding. */
async function routesOf(backend: Breakable, same: Fits, event: string): Promise<readonly string[]> {
  const bindings = await backend.bindings();
  return bindings.filter(({ pattern }) => pattern !== undefined && same(pattern, event)).map(({ queue }) => queue);
}

/** Sends events to the queues that `route` makes of those that fit. */
export function routes(
  same: Fits,
  route: (queues: readonly string[]) => Iterable<string> = (queues) => new Set(queues),
): BreakIt {
  const copies = async (out: Outgoing, backend: Breakable): Promise<readonly Outgoing[]> => {
    if (!('event' in out.to)) return [out];
    const queues = await routesOf(backend, same, out.to.event);
    return Array.from(route(queues), (queue) => ({ ...out, to: { queue } }));
  };
  return sendsBatches(async (batch, send, backend) => send((await Promise.all(batch.map((out) => copies(out, backend)))).flat()));
}
