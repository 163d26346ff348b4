/**
 * The contract between core and a backend, version 1. Core imports no backend; a backend imports `wrkr/backend` and its own
 * client, nothing else. The conformance suite proves every sentence below; where a capability is absent, core refuses with
 * `WRKR_UNSUPPORTED` and the backend is never asked.
 *
 * What holds for every method:
 * - It may be called at any time between `open()` and `close()`, also while other calls are under way, also from inside
 *   `Sink.deliver` and `Sink.lost`. Before `open()` and after `close()` it rejects with `closed`.
 * - It may take as long as its I/O takes. Each of its I/O operations ends within the backend's own I/O timeout: then the call
 *   rejects with `timeout` or `unavailable`. A call over many events may be many such operations.
 * - It rejects with a {@link BackendError} and throws nothing synchronously. A fault of one item of a batch is reported as a
 *   {@link Failure} of that item; the others are done.
 * - It does not retry. Core does, with the same ids, when the error is `unavailable` or `timeout`. Reconnecting is the backend's.
 * - It may keep the bodies and headers that it was given: nobody changes them afterwards, nor those that it hands out. Everything
 *   else (arrays, events, filters) is the caller's again once it has resolved.
 */

/** Milliseconds: an instant since the epoch (UTC), or a span. */
export type Ms = number;

export type Headers = Readonly<Record<string, string>>;

/**
 * A work queue is consumed by handlers. A parked queue (dead letters) waits for a person: nothing consumes it by itself and
 * nothing in it expires. Which of the two a queue is, is fixed when it is first declared: a later declaration as the other kind
 * changes nothing and is no error.
 */
export type QueueKind = 'work' | 'parked';

export type FilterKey = 'id' | 'key' | 'tid' | 'name' | 'queue';

/** What a backend can do: plain JSON, the same before and after `close()`, fixed once `open()` has resolved. Users can read it. */
export interface Capabilities {
  readonly contract: 1;
  /** Who sees the same queues: this process, or everyone who can reach the server. */
  readonly scope: 'process' | 'network';
  /** What a resolved `send()` survives on the server's side: nothing, an orderly restart, a crash. */
  readonly durable: false | 'restart' | 'crash';
  /** `timed`: a hand-out is lost unless it is extended in time. `connection`: it lasts as long as the connection, at most `maxMs`. */
  readonly lease: { readonly kind: 'timed'; readonly minMs: Ms } | { readonly kind: 'connection'; readonly maxMs: Ms };
  /** `fanOut`: `at` may go with `to.event`, and subscribers are resolved when it is due. `granularityMs` bounds the lateness. */
  readonly delay: false | { readonly maxMs: Ms; readonly granularityMs: Ms; readonly fanOut: boolean };
  /** What `cancel`, `change` and `browse` can address. */
  readonly filter: readonly FilterKey[];
  /** `all`: whatever nobody holds. `delayed`: only what is not yet due. `receipt`: only that, and only by `id` and `at` together. */
  readonly cancel: 'all' | 'delayed' | 'receipt' | false;
  readonly browse: 'all' | 'delayed' | false;
  /** Parked queues can be browsed, changed and cancelled from, or only consumed. */
  readonly dead: 'browse' | 'drain';
  /** Has `change`. */
  readonly change: boolean;
  /** Honours {@link Outgoing.key}. */
  readonly dedupe: boolean;
  /** `send()` inside a caller's transaction. */
  readonly tx: boolean;
  /** What a crash leaves behind in {@link Delivery.handouts}: the count, only that there was one (2), or nothing (1). */
  readonly handouts: 'exact' | 'flag' | 'none';
  /** With one consumer, `max` 1 and nothing moved, deliveries come in the order of publishing. */
  readonly fifo: boolean;
  readonly stats: 'exact' | 'approximate' | false;
  /** `injected`: due and lease times obey `env.clock`. `server`: the server's own clock. */
  readonly clock: 'injected' | 'server';
  readonly limits: {
    readonly bodyBytes: number;
    /** All keys and values of one event's headers together. */
    readonly headerBytes: number;
    /** Of an event name, a queue name, a pattern, an id, a tid or a key. */
    readonly nameBytes: number;
    /** Items in one `send`, `settle` or `extend`. */
    readonly batch: number;
    /** Bytes of all bodies in one `send`; one event may have more. */
    readonly batchBytes: number;
    /** Calls of `send` (and, per consumer, of `settle`) that it makes sense to have under way at once. */
    readonly inFlight: number;
  };
}

/** One event on its way into the backend. Names and sizes have been checked by core against `limits`. */
export interface Outgoing {
  /**
   * `event`: one copy for each queue with a matching binding, however many of its bindings match; none is not an error.
   * `queue`: that one queue, which must be declared when it is sent: `invalid` otherwise, never dropped. For what is delayed, too.
   */
  readonly to: { readonly event: string } | { readonly queue: string };
  /**
   * Chosen by core, equal in every copy. Sending an id again while it is stored in a queue stores it once or twice, never less. One
   * that meets itself, after an answer that was lost, counts as stored, also where it has a key: it is not deduplicated.
   */
  readonly id: string;
  readonly name: string;
  /** When it was published: core's, kept with the event. */
  readonly sentAt: Ms;
  /** Not before this instant; 0 (or the past) is now. Above 0 only with `to.queue`, or with `to.event` where `delay.fanOut`. */
  readonly at: Ms;
  /** What the event is about. Stores index it. */
  readonly tid?: string;
  /**
   * While an event with this key waits or is held in a queue, a further one stores nothing there and is reported as deduplicated.
   * In `$relay` a key counts until the first hand-out: then its event is about to leave. A move to another queue drops the key.
   */
  readonly key?: string;
  /** No key means anything to the backend, whatever its protocol makes of it: all arrive as they were sent, and no others. */
  readonly headers: Headers;
  /** Opaque bytes. */
  readonly body: Uint8Array;
}

/**
 * One event handed out to one consumer. The backend builds it once; core keeps it, gives the same object back to `settle` and
 * `extend`, and recognises it by identity in `lost`.
 */
export interface Delivery {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly tid?: string;
  readonly key?: string;
  /** When this copy became due. */
  readonly at: Ms;
  /** As it was sent; moves keep it. Of a foreign message: when the backend first saw it. */
  readonly sentAt: Ms;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /**
   * Hand-outs since it was stored, moved or changed, this one included, and those that ended with a lost connection: at least 1.
   * Attempts are core's, in the headers.
   */
  readonly handouts: number;
  /** End of the lease, which `extend` updates; `Infinity` for connection leases. */
  readonly leaseUntil: Ms;
  /** The backend's own, to know this hand-out by: a settlement of an earlier one is stale. Core does not look at it. */
  readonly token: unknown;
}

/**
 * `ack`: done, gone for good. `move`: the one redelivery primitive (retry = same queue, later; release = same queue, now; dead
 * letter = its parked queue; redrive = back again). A move replaces the headers, resets `handouts`, keeps id, name, tid, body and
 * `sentAt`, and keeps the key within the queue. Its law: store the copy and ack the original in one step, or leave two copies,
 * never none. A queue that was not declared is `invalid`, and the original stays held.
 */
export type Settlement =
  | { readonly d: Delivery; readonly do: 'ack' }
  | { readonly d: Delivery; readonly do: 'move'; readonly queue: string; readonly at: Ms; readonly headers: Headers };

/** What became of one item of a batch, by its index. Results are sparse: `[]` means that all were done. */
export interface Failure {
  readonly index: number;
  readonly error: BackendError;
}

/** An item that stored nothing anywhere because of its key: which event is there instead, and when that is due. */
export interface Deduplicated {
  readonly index: number;
  readonly id: string;
  readonly at: Ms;
}

export interface Sent {
  readonly failures: readonly Failure[];
  readonly deduplicated: readonly Deduplicated[];
}

/** Implemented by core; called by the backend, never before `consume()` was called and never after `stop()` has resolved. */
export interface Sink {
  /** Takes everything it is given. Synchronous, never throws. */
  deliver(batch: readonly Delivery[]): void;
  /**
   * The leases of these (or of everything this consumer holds) are gone: others may have them. Also called after `stop()`, as
   * long as something is held, and not after `close()`. Synchronous, never throws.
   */
  lost(batch: readonly Delivery[] | 'all', why: BackendError): void;
}

export interface Consumer {
  /**
   * The most deliveries that may be out. A settlement that is done or `stale` frees its slot, and so does `lost()`, or an `extend`
   * that is `stale`; one that is `invalid`, and a call that is rejected, do not. 0 pauses. Lowering it takes nothing back.
   * What was on its way when it was lowered may still be delivered. Takes effect without waiting; a repeat is harmless, also while
   * the connection is down.
   */
  limit(max: number): void;
  /**
   * Ends hand-outs, each with its own result. What has no failure is with the server: no crash of this process brings it back.
   * `stale` where another holds it or had it since; where the lease is over and nobody has it yet: done or `stale`, and then the
   * event stays. `invalid` for a move to an undeclared queue. Rejects only if nothing is known about the whole batch. A repeat is
   * harmless, and of what was applied, an ack or a move, it is done or `stale`: core repeats on `unavailable` and `timeout` for as
   * long as it believes that it holds them.
   */
  settle(batch: readonly Settlement[]): Promise<readonly Failure[]>;
  /**
   * Timed leases only, and never called for others: these leases end `forMs` from now, by the backend's clock, and `leaseUntil` of
   * the same objects says so. `stale` per item where it was too late: that stands for `lost()`, which need not follow. A repeat is
   * harmless.
   */
  extend(batch: readonly Delivery[], forMs: Ms): Promise<readonly Failure[]>;
  /** No `deliver()` once it has resolved; what is out stays held and can be settled. A repeat is harmless. */
  stop(): Promise<void>;
}

export interface ConsumeOptions {
  readonly max: number;
  /** Length of a timed lease; at least `lease.minMs`. Ignored by connection leases. */
  readonly leaseMs: Ms;
  readonly kind: QueueKind;
}

/** A queue, and a pattern of event names that reach it. Without a pattern the queue is only declared. */
export interface Binding {
  readonly queue: string;
  /**
   * Words, separated by dots: `*` is any one word, `#` zero or more, wherever they stand; every other word is itself, byte for
   * byte. Names of events and queues that begin with `$` are core's: no event has such a name.
   */
  readonly pattern?: string;
  readonly kind: QueueKind;
}

/** All given keys must match, byte for byte. Never empty for `cancel` and `change`; `browse` of an empty one is of everything. */
export interface Filter {
  readonly id?: string;
  /** The due time, from the receipt, for backends whose ids alone do not find it (`cancel: 'receipt'`); others ignore it. */
  readonly at?: Ms;
  readonly key?: string;
  readonly tid?: string;
  readonly name?: string;
  readonly queue?: string;
}

/** An event as it lies in a queue. */
export interface Stored extends Omit<Delivery, 'token' | 'leaseUntil'> {
  readonly state: 'ready' | 'delayed' | 'held';
}

export interface Page {
  readonly items: readonly Stored[];
  /** Give it as `after` for what follows; absent at the end. Opaque. */
  readonly next?: string;
}

export interface QueueStats {
  readonly ready: number | null;
  readonly delayed: number | null;
  readonly held: number | null;
  /** Since when the oldest ready event could have been handled; `null` if there is none, or unknown. */
  readonly oldestReadyAt: Ms | null;
}

/** Calls `fn` once, no earlier than `ms` from now, unless the returned function is called before. */
export interface Timer {
  now(): Ms;
  after(ms: Ms, fn: () => void): () => void;
}

/** Work that goes on outside of time: a virtual clock waits for it before it moves on. */
export interface Activity {
  /** Handlers that run and calls that wait for the backend. */
  readonly busy: number;
  /** Grows whenever something begins or ends. */
  readonly steps: number;
}

/** Bus time: due times, back-off, leases, handler timeouts. Virtual in tests. */
export interface Clock extends Timer {
  /** Monotonic and never virtual: I/O timeouts, reconnecting, age of caches. Its `now()` has no date. */
  readonly real: Timer;
  /** A virtual clock wants to know; a real one does not. Returns a function that ends it. */
  watch?(activity: Activity): () => void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What core gives a backend at `open()`. The callbacks are synchronous and never throw. */
export interface Env {
  readonly clock: Clock;
  log(level: LogLevel, message: string, extra?: object): void;
  /** `up` once open and again after each reconnect, `down` when the connection is lost, `closed` once, last. */
  onState(state: 'up' | 'down' | 'closed', why?: BackendError): void;
  /** An event that matched no binding, where the backend can know. */
  onUnrouted?(event: { readonly id: string; readonly name: string }): void;
}

export interface Backend {
  readonly name: string;
  readonly capabilities: Capabilities;
  /**
   * Connects and prepares the store. Rejects with `unavailable` if it cannot; then it may be called again. Once open, a further
   * call resolves and changes nothing, and a lost connection is re-established by the backend, consumers included. After `close()`
   * it rejects with `closed`: a closed backend stays closed.
   */
  open(env: Env): Promise<void>;
  /**
   * Gives everything unsettled back now, without waiting for leases, and frees every handle. Does not wait for handlers: core has
   * done that. Calls under way are settled, one way or the other: they may reject with `closed`, and `applied: 'maybe'`. No `lost()`
   * comes once it was called. May be called twice, before `open()` and while busy.
   */
  close(): Promise<void>;
  /**
   * The upper bound of the clock that compares due and lease times. Core derives every relative `at` from it. Cheap, synchronous, usable at
   * any time, also before `open()` and after `close()`; never throws.
   */
  now(): Ms;
  /** Declares the queues and binds them. Every process's next `send()` sees it once it has resolved. A repeat is harmless. */
  bind(batch: readonly Binding[]): Promise<void>;
  /** Removes bindings; queues stay, and so do the copies in them. Visible like `bind`. A repeat is harmless. */
  unbind(batch: readonly Binding[]): Promise<void>;
  /**
   * Resolves when each event is stored in all of its queues, as durably as declared; one that fails with `applied: 'no'` is in
   * none. Where a call rejects, or an item fails, with `maybe`, some may be stored; core sends those again with the same ids.
   *
   * With `tx`, a transaction of the caller's as this client knows it, all of it is stored if and when that commits. Core then has
   * no other call under way with the same `tx`, sends nothing again, and passes on what it rejects with as it is: so it rejects
   * with the client's own error where the transaction is to be repeated. A `tx` of something else is `invalid`.
   */
  send(batch: readonly Outgoing[], options?: { readonly tx?: unknown }): Promise<Sent>;
  /**
   * Hands out events of a queue, which is declared if it was not, until the consumer stops. Deliveries may begin before the
   * promise resolves. Several consumers of one queue, in any process, share its events. Earliest due first, of what waits; a moved
   * event may come last.
   */
  consume(queue: string, sink: Sink, options: ConsumeOptions): Promise<Consumer>;
  /** Removes what matches and nobody holds. Resolves with how many, or `null` if the backend cannot know. */
  cancel?(filter: Filter): Promise<number | null>;
  /**
   * Moves what matches and nobody holds to another time or queue, each atomically: never lost, never two. Headers are merged,
   * an empty value removes its key; `handouts` starts again; another queue drops the key. Resolves with how many.
   */
  change?(filter: Filter, to: { readonly at?: Ms; readonly queue?: string; readonly headers?: Headers }): Promise<number>;
  /** Lists what matches, held or not, in a stable order, without taking it. An `after` that it never gave is `invalid`. */
  browse?(filter: Filter, page: { readonly limit: number; readonly after?: string }): Promise<Page>;
  /** All declared queues (once without a pattern) and all bindings that match. */
  bindings?(filter?: Partial<Binding>): Promise<readonly Binding[]>;
  /** An unknown queue has zeros. */
  stats?(queue: string): Promise<QueueStats>;
  /**
   * Removes the queue with its bindings and everything in it, held or not; consumers get nothing more, also if it is declared
   * anew, and are told `lost('all')` with `closed` when their backend notices. Where `browse` is false, what was delayed for it
   * may appear again then. Visible like `bind`. A repeat is harmless, as is a queue that is not there.
   */
  drop?(queue: string): Promise<void>;
}

/**
 * - `unavailable` the server cannot be reached, or refuses work for now
 * - `timeout`     no answer in time
 * - `closed`      the backend is not open
 * - `stale`       the lease is gone
 * - `invalid`     the call can never succeed as it is
 * - `too_large`   beyond a limit
 * - `unsupported` the capability is absent
 * - `internal`    anything else, and whatever the cause is not known of: core repeats what is `unavailable`, and would do so in vain
 */
export type BackendErrorCode =
  | 'unavailable'
  | 'timeout'
  | 'closed'
  | 'stale'
  | 'invalid'
  | 'too_large'
  | 'unsupported'
  | 'internal';

/** Structural, so that two copies of this package can meet: test `name` and `code`, never `instanceof`. */
export interface BackendError extends Error {
  readonly name: 'BackendError';
  readonly code: BackendErrorCode;
  /** `no`: certainly nothing was stored or changed. `maybe`: unknown, repeat with the same ids. */
  readonly applied: 'no' | 'maybe';
}
