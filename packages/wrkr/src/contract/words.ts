/** Where core parks delayed events on backends that do not fan out at the due time. */
export const RELAY = '$relay';

/** Where core keeps retries, in a companion, for a backend that cannot delay. */
export const RETRIES = '$retries';

/** The parked queue that takes the dead letters of a queue. */
export function deadQueueOf(queue: string): string {
  return queue + DEAD;
}

/** The queue whose dead letters a parked queue takes. */
export function originOf(deadQueue: string): string {
  return deadQueue.slice(0, -DEAD.length);
}

export const DEAD = '.dead';
