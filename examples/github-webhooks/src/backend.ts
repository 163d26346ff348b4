import { MemoryBackend } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import { type Backend, type Clock, SystemClock } from 'wrkr/backend';

/** Where the events are kept. This is the line to change. */
const BACKEND = process.env.WRKR_URL ?? 'memory:';

/** A backend, and the time that goes with it. */
export interface Setting {
  readonly backend: Backend;
  readonly clock: Clock;
  /** How long nobody may have answered an issue until the team is reminded of it. */
  readonly patience: string;
  /** What the teams take for a minute when they try again, in milliseconds. */
  readonly minute: number;
  /** Until what was set off is done, until the next delivery comes, until nothing more is to be expected. */
  readonly aMoment: () => Promise<void>;
  readonly anHour: () => Promise<void>;
  readonly aFortnight: () => Promise<void>;
}

/** `live`: real webhooks in real time. Otherwise time is virtual where the backend allows it, and short where it does not. */
export function setting({ live, realTime }: { readonly live: boolean; readonly realTime: boolean }): Setting {
  const backend = backendOf(BACKEND);
  if (backend.capabilities.clock === 'injected' && !live && !realTime) {
    const clock = new VirtualClock({ start: new Date('2030-01-01T00:00:00Z') });
    const pass = (span: string) => () => clock.advance(span);
    const passing = { aMoment: pass('1 second'), anHour: pass('1 hour'), aFortnight: pass('2 weeks') };
    return { backend, clock, patience: '7 days', minute: 60_000, ...passing };
  }
  const clock = new SystemClock();
  const pass = (ms: number) => () => new Promise<void>((resolve) => clock.after(ms, resolve));
  const passing = { aMoment: pass(500), anHour: pass(0), aFortnight: pass(5000) };
  return { backend, clock, patience: live ? '7 days' : '3 seconds', minute: live ? 60_000 : 100, ...passing };
}

function backendOf(url: string): Backend {
  const { protocol } = new URL(url);
  if (protocol === 'memory:') return new MemoryBackend();
  throw new Error(`There is no backend for ${url} yet: use memory:`);
}
