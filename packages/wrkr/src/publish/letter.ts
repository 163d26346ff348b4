import type { BackendError, Deduplicated, Headers, Ms, Outgoing } from '../contract/contract.ts';

/** An event on its way to the backend, which knows who wants to be told what became of it, once. */
export abstract class Letter implements Outgoing {
  readonly to: Outgoing['to'];
  readonly id: string;
  readonly name: string;
  readonly tid?: string;
  readonly key?: string;
  readonly sentAt: Ms;
  readonly at: Ms;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The outbox's: until when it is tried, on the monotonic clock. */
  until: Ms = 0;
  /** The outbox's: it was told what became of it. */
  answered = false;
  /** The outbox's: a call that has it is out. */
  isOut = false;
  /** The outbox's: a call that had it ended so that it may be stored. */
  doubtful = false;

  constructor(event: Outgoing) {
    this.to = event.to;
    this.id = event.id;
    this.name = event.name;
    if (event.tid !== undefined) this.tid = event.tid;
    if (event.key !== undefined) this.key = event.key;
    this.sentAt = event.sentAt;
    this.at = event.at;
    this.headers = event.headers;
    this.body = event.body;
  }

  /** How long it is tried, waiting included. */
  abstract get patienceMs(): Ms;
  /** `instead`: the event that is there in its place. */
  abstract stored(instead: Deduplicated | undefined): void;
  /** `applied` tells of all its attempts together. */
  abstract failed(error: BackendError, applied: 'no' | 'maybe'): void;
}
