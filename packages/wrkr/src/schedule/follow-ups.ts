import type { Outgoing } from '../contract/contract.ts';
import type { Job } from '../deliver/job.ts';
import type { UntypedInput } from '../publish/event-input.ts';
import { followUpId } from '../publish/ids.ts';
import type { Publisher } from '../publish/publisher.ts';

/** Ties an event to the one that is being handled. Of several with one name and tid, each has its number in its id. */
export function readFollowUp(job: Job, input: UntypedInput, publisher: Publisher): Outgoing {
  const { id, queue, correlationId } = job.event;
  const idOf = (_now: number, name: string, tid: string | undefined): string => {
    const count = job.followUps.filter((event) => event.name === name && event.tid === tid).length;
    return followUpId(id, queue, name, tid, count);
  };
  return publisher.readFollowUp(input, idOf, { parentId: id, correlationId });
}
