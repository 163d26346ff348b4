import { MemoryBackend, type MemoryOptions } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import { onTestFinished } from 'vitest';
import { Wrkr, type WrkrOptions } from 'wrkr';

export interface Setup {
  readonly wrkr: Wrkr;
  readonly clock: VirtualClock;
  readonly backend: MemoryBackend;
  /** What was logged at 'warn' and 'error'. */
  readonly logged: string[];
}

/** A bus of its own on a virtual clock; it is stopped when the test is over. */
export function setup(options: Partial<WrkrOptions> & { memory?: MemoryOptions } = {}): Setup {
  const { memory, ...bus } = options;
  const clock = (bus.clock as VirtualClock | undefined) ?? new VirtualClock({ patience: 5 });
  const backend = (bus.backend as MemoryBackend | undefined) ?? new MemoryBackend(memory);
  const logged: string[] = [];
  const keep = (message: string): unknown => logged.push(message);
  const wrkr = new Wrkr({ logger: { warn: keep, error: keep }, ...bus, clock, backend });
  onTestFinished(async () => {
    await Promise.all([wrkr.stop({ timeout: 1 }), clock.advance(10)]);
  });
  return { wrkr, clock, backend, logged };
}

/** Something that a test ends by hand. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** What a call was refused with. */
export async function refusal(call: Promise<unknown>): Promise<{ code: string; message: string; applied?: string }> {
  try {
    await call;
  } catch (error) {
    const { code, message, applied } = error as { code: string; message: string; applied?: string };
    return applied === undefined ? { code, message } : { code, message, applied };
  }
  throw new Error('the call was not refused');
}
