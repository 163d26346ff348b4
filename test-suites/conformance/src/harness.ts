import type { Backend, Ms } from 'wrkr/backend';

/** One that can be had at once, or takes some I/O to make. */
export type Created = Backend | Promise<Backend>;

export interface CreateOptions {
  /**
   * Backends that are given the same word see the same queues. Another word may mean other queues, or not: every case also uses
   * names of its own, so that cases can run side by side on one server. `$relay` is the queue of all: where it is not kept apart, a
   * case that fails can take what another one let wait.
   */
  readonly namespace: string;
}

/** An event that is stored, and when it was asked to be due: a backend may not find it by its id alone. */
export interface DueEvent {
  readonly queue: string;
  readonly id: string;
  readonly at: Ms;
}

/** What a backend's author writes to have it tried. Cases for which a part is missing are NOT RUN, which is no pass. */
export interface Harness {
  /** A new backend, not yet open. */
  create(options: CreateOptions): Created;
  /**
   * Ends a backend as `kill -9` of its process would: nothing is given back, nothing is said. What it had open in
   * this process (sockets, timers) is closed all the same, or the run cannot end.
   */
  readonly crash?: (backend: Backend) => void | Promise<void>;
  /**
   * Breaks a backend's connection as a network would, and keeps it broken until the function that it returns is called. The server
   * stays as it is; the backend must come back by itself.
   */
  readonly cut?: (backend: Backend) => Restore | Promise<Restore>;
  /**
   * For a backend whose server owns the clock: when a stored event is due, read from the backend's own structures. Long delays
   * are proved by it. `undefined` if it is not there.
   */
  readonly dueOf?: (backend: Backend, event: DueEvent) => Promise<Ms | undefined>;
  /** A module that exports this harness as `harness`: cases start it in processes of their own, and kill them. */
  readonly child?: URL;
  /** A backend whose server cannot be reached: nobody listens at its address. */
  readonly unreachable?: () => Created;
  /** Stops the server in good order and starts it again. Other cases run meanwhile: it is best given to a run of `--only broker.`. */
  readonly restart?: () => Promise<void>;
  /** A second backend, which keeps what is delayed: given to every bus of the chapters that go through core. */
  readonly scheduler?: (options: CreateOptions) => Created;
  /** Called once, when all cases are over: removes what they shared. */
  readonly end?: () => Promise<void>;
  /**
   * Cases that are known to fail, by id, with the reason. They are run all the same, inverted: one that passes is a failure of
   * the run, so that the list can only be true.
   */
  readonly knownFailures?: Readonly<Record<string, string>>;
}

export type Restore = () => void | Promise<void>;

/** Parts of a harness that a case may need. */
export type Hook = 'crash' | 'cut' | 'dueOf' | 'child' | 'unreachable' | 'restart';
