import { backendError, isBackendError } from '../contract/backend-error.ts';
import type { Outgoing } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { fromBackend, WrkrError } from '../errors.ts';
import { insteadOf, type Receipt } from './event-input.ts';

/** The last call of each session: a client takes one at a time. */
const turns = new WeakMap<object, Promise<unknown>>();

/**
 * Stores events in the caller's transaction: committed, they are in all of their queues; aborted, nothing was published. Nothing is
 * repeated here, because the transaction is the caller's to repeat; what is not the backend's own error reaches him as it is, with
 * the labels that his client looks for.
 */
export async function sendInSession(core: Core, events: readonly Outgoing[], session: object): Promise<readonly Receipt[]> {
  const { activity, backend } = core;
  if (!backend.capabilities.tx) throw unsupported('this backend has no transactions: publish without session');
  if (backend !== core.scheduler && events.some(({ at }) => at > 0))
    throw unsupported('a delayed event goes to the scheduler, which knows nothing of this session');
  const before = turns.get(session) ?? Promise.resolve();
  const turn = before.catch(() => {}).then(() => sendAll(core, events, session));
  turns.set(session, turn);
  activity.begin();
  try {
    return await turn;
  } catch (error) {
    throw isBackendError(error) ? fromBackend(error, 'not published, and the session should be aborted', 'no') : error;
  } finally {
    activity.end();
  }
}

async function sendAll({ backend, calls }: Core, events: readonly Outgoing[], tx: object): Promise<readonly Receipt[]> {
  const { batch } = backend.capabilities.limits;
  const receipts: Receipt[] = [];
  for (let from = 0; from < events.length; from += batch) {
    if (calls.isClosed) throw backendError('closed', 'the bus was stopped');
    const some = events.slice(from, from + batch);
    const { failures, deduplicated } = await calls.bounded(backend.send(some, { tx }));
    if (failures[0]) throw failures[0].error;
    const instead = new Map(deduplicated.map((one) => [one.index, one]));
    receipts.push(...some.map((event, i) => insteadOf(event, instead.get(i))));
  }
  return receipts;
}

function unsupported(message: string): WrkrError {
  return new WrkrError('WRKR_UNSUPPORTED', message, { applied: 'no' });
}
