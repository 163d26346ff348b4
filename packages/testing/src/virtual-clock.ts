import { type Activity, type Clock, type Due, DueHeap, type Ms, SystemClock, spanOf, type Timer } from 'wrkr/backend';

export interface VirtualClockOptions {
  /** What time it is at first. @default 2030-01-01T00:00:00Z */
  readonly start?: Date | number;
  /** How long, in real milliseconds, it waits for handlers that make no progress before it moves on without them. @default 1000 */
  readonly patience?: Ms;
}

interface Alarm extends Due {
  readonly fn: () => void;
}

const { setImmediate } = globalThis;

/** Rounds of the event loop without a step until nothing more is expected: promises take one, batches another. */
const QUIET_TURNS = 3;

/**
 * A clock that stands still until it is told to move. Give it to `new Wrkr({ clock })`; on a backend that obeys it (memory does),
 * seven days pass in a millisecond.
 *
 * It knows what its buses are busy with, and moves only when nothing can go on without time. Handlers may do real I/O: they are
 * waited for, as long as something happens within `patience`. A handler that hangs is noticed once and then left behind.
 */
export class VirtualClock implements Clock {
  readonly real: Timer = new SystemClock().real;
  readonly #alarms = new DueHeap<Alarm>();
  readonly #activities = new Set<Activity>();
  readonly #patience: Ms;
  #now: Ms;
  #count = 0;
  /** Of what is busy, how much was found to make no progress. */
  #stuck = 0;

  /** Throws a TypeError for options that make no sense. */
  constructor(options: VirtualClockOptions = {}) {
    checkOptions(options);
    const { start = Date.UTC(2030, 0, 1), patience = 1000 } = options;
    this.#now = Number(start);
    this.#patience = patience;
  }

  now(): Ms {
    return this.#now;
  }

  after(ms: Ms, fn: () => void): () => void {
    const alarm: Alarm = { at: this.#now + Math.max(0, ms), seq: ++this.#count, slot: -1, fn };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms.remove(alarm);
    };
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#alarms.size;
  }

  watch(activity: Activity): () => void {
    this.#activities.add(activity);
    return () => this.#activities.delete(activity);
  }

  /** Lets so much time pass: fires what falls due, in order, and waits for what each sets off. Words or milliseconds. */
  async advance(span: string | number): Promise<void> {
    const end = this.#now + spanOf(span);
    await this.settle();
    for (let next = this.#alarms.peek(); next && next.at <= end; next = this.#alarms.peek()) {
      this.#alarms.pop();
      this.#now = Math.max(this.#now, next.at);
      next.fn();
      await this.settle();
    }
    this.#now = end;
    await this.settle();
  }

  /** Waits until nothing can go on without time. */
  async settle(): Promise<void> {
    let since = this.real.now();
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      const steps = this.#steps();
      await new Promise((resolve) => setImmediate(resolve));
      const busy = this.#busy();
      this.#stuck = Math.min(this.#stuck, busy);
      if (this.#steps() !== steps) {
        quiet = 0;
        since = this.real.now();
      } else if (busy <= this.#stuck) {
        quiet++;
      } else if (this.real.now() - since < this.#patience) {
        await new Promise<void>((resolve) => this.real.after(1, resolve));
      } else {
        this.#stuck = busy;
      }
    }
  }

  #busy(): number {
    let sum = 0;
    for (const { busy } of this.#activities) sum += busy;
    return sum;
  }

  #steps(): number {
    let sum = 0;
    for (const { steps } of this.#activities) sum += steps;
    return sum;
  }
}

function checkOptions(options: VirtualClockOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('new VirtualClock takes an object: { start, patience }');
  const unknown = Object.keys(options).find((key) => key !== 'start' && key !== 'patience');
  if (unknown !== undefined) throw new TypeError(`new VirtualClock has no '${unknown}': it can have start, patience`);
  const { start = 0, patience = 0 } = options;
  if (!Number.isFinite(start instanceof Date ? start.getTime() : start))
    throw new TypeError('new VirtualClock: start must be a valid Date, or milliseconds since 1970');
  if (!(patience >= 0)) throw new TypeError('new VirtualClock: patience must be milliseconds from 0');
}
