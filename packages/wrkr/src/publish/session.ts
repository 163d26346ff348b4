import type { Outgoing } from '../contract/contract.ts';
import type { Core } from '../core.ts';
import { fromBackend, WrkrError } from '../errors.ts';
import { type Receipt, receiptOf } from './event-input.ts';

/**
 * Stores events in the caller's transaction: committed, they are in all of their queues; aborted, nothing was published. Nothing is
 * repeated here, because the transaction is the caller's to repeat: what fails, fails it.
 */
export async function sendInSession(core: Core, events: readonly Outgoing[], session: unknown): Promise<readonly Receipt[]> {
  const { activity, backend } = core;
  if (!backend.capabilities.tx) throw unsupported('this backend has no transactions: publish without session');
  if (backend !== core.scheduler && events.some(({ at }) => at > 0))
    throw unsupported('a delayed event goes to the scheduler, which knows nothing of this session');
  const receipts: Receipt[] = [];
  activity.begin();
  try {
    const { batch } = backend.capabilities.limits;
    for (let from = 0; from < events.length; from += batch) {
      const some = events.slice(from, from + batch);
      const { failures, deduplicated } = await backend.send(some, { tx: session });
      const [failure] = failures;
      if (failure) throw failure.error;
      const instead = new Map(deduplicated.map((one) => [one.index, one]));
      receipts.push(
        ...some.map((event, i) => {
          const other = instead.get(i);
          return other ? { id: other.id, when: new Date(other.at), stored: false } : receiptOf(event);
        }),
      );
    }
    return receipts;
  } catch (error) {
    throw fromBackend(error, 'not published, and the session should be aborted', 'no');
  } finally {
    activity.end();
  }
}

function unsupported(message: string): WrkrError {
  return new WrkrError('WRKR_UNSUPPORTED', message, { applied: 'no' });
}
