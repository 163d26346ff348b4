import type { Job } from '../deliver/job.ts';
import type { UntypedInput } from '../publish/event-input.ts';
import { followUpId } from '../publish/ids.ts';
import type { FollowUp, Publisher } from '../publish/publisher.ts';

/** Ties an event to the one that is being handled. Of several with one name and tid, each has its number in its id. */
export function readFollowUp(job: Job, input: UntypedInput, publisher: Publisher): FollowUp {
  const idOf = (_now: number, name: string, tid: string | undefined): string => {
    return followUpId(job.event.id, job.event.queue, name, tid, job.countFollowUps(name, tid));
  };
  return publisher.readFollowUp(input, job.event, idOf);
}
