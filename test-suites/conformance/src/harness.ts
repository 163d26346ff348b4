import type { Backend, Ms } from 'wrkr/backend';

export interface CreateOptions {
  /**
   * Backends that are given the same word see the same queues. Another word may mean other queues, or not: every case also uses
   * names of its own, so that cases can run side by side on one server.
   */
  readonly namespace: string;
}

/** What a backend's author writes to have it tried. */
export interface Harness {
  /** A new backend, not yet open. */
  create(options: CreateOptions): Backend;
  /** Ends a backend as `kill -9` of its process would: nothing is given back, nothing is said. Without it: NOT RUN. */
  readonly crash?: (backend: Backend) => void | Promise<void>;
  /**
   * For a backend whose server owns the clock: when a stored event is due, read from the backend's own structures. Long delays
   * are proved by it. Without it: NOT RUN.
   */
  readonly dueOf?: (backend: Backend, queue: string, id: string) => Promise<Ms>;
}

/** Parts of a harness that a case may need. */
export type Hook = Exclude<keyof Harness, 'create'>;
