import type { Clock, Ms, Timer } from '../contract/contract.ts';

/*
 * The only file that touches the machine's clock and timers. They are bound when the module is loaded: what a test framework
 * puts in their place later must not stop the bus.
 */
const wall = Date.now;
const monotonic = performance.now.bind(performance);
const { setTimeout, clearTimeout, setImmediate } = globalThis;

/**
 * No wait is longer than this in one piece, so that a wall clock that was set, or a machine that slept, is noticed. Well below
 * 2^31 ms, above which `setTimeout` fires at once.
 */
const LONGEST_WAIT: Ms = 60_000;

class SystemTimer implements Timer {
  readonly now: () => Ms;

  constructor(now: () => Ms) {
    this.now = now;
  }

  /** Re-checks its own clock at each firing: `setTimeout` may be a millisecond early by it. */
  after(ms: Ms, fn: () => void): () => void {
    const due = this.now() + ms;
    let timer: NodeJS.Timeout;
    const wait = (left: Ms): void => {
      timer = setTimeout(check, Math.min(left, LONGEST_WAIT));
    };
    const check = (): void => {
      const left = due - this.now();
      if (left > 0) wait(left);
      else fn();
    };
    wait(ms);
    return () => clearTimeout(timer);
  }
}

/** The machine's wall clock. */
export class SystemClock extends SystemTimer implements Clock {
  readonly real: Timer = new SystemTimer(monotonic);

  constructor() {
    super(wall);
  }
}

/** Runs `fn` once everything that is ready now has run: batches form in the meantime. */
export function nextTick(fn: () => void): void {
  setImmediate(fn);
}
