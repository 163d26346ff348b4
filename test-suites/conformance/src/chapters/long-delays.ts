import assert from 'node:assert/strict';
import type { Backend } from 'wrkr/backend';
import { type Case, it } from '../case.ts';
import { expectIds } from '../expect.ts';
import type { DueEvent } from '../harness.ts';
import { maxDelay } from '../needs.ts';
import type { World } from '../world.ts';

const DAY = 86_400_000;

/** Spans on both sides of 2^31 and 2^32 ms, where timers and integers of 32 bits break. */
const SPANS = { '7d': 7 * DAY, '25d': 25 * DAY, '50d': 50 * DAY, '5y': 5 * 365 * DAY };

function longDelay(word: string, ms: number): Case {
  return it(
    `delay.long.${word}`,
    `an event that is due in ${word} comes then, once, and not before`,
    async (world) => {
      const backend = await world.open();
      const queue = await world.queue(backend, 'q');
      const tap = await world.consume(backend, queue, { leaseMs: 2 * ms }); // one that comes early comes once
      const at = backend.now() + ms;
      const id = await world.send(backend, { to: { queue }, at });
      if (!world.virtual) return provedByStore(world, backend, { queue, id, at });
      await world.pass(1000);
      await world.fence(backend, tap, 0);
      await world.pass(ms - 2000);
      await world.fence(backend, tap, 0);
      await world.pass(1000);
      await world.arrive(tap, 1);
      expectIds(tap.ids, [id], 'deliveries');
      await world.pass(1000);
      return world.fence(backend, tap, 1);
    },
    { needs: [maxDelay(ms)], hooks: ['dueOf'] },
  );
}

/** Where the server has the clock: what its structures say, between the instant and the granularity after it. */
async function provedByStore(world: World, backend: Backend, event: DueEvent): Promise<void> {
  const due = await world.harness.dueOf?.(backend, event);
  assert.ok(due !== undefined && !Number.isNaN(due), `dueOf did not find ${event.id}, which was stored a moment ago`);
  const late = due - event.at;
  const { delay: can } = world.capabilities;
  assert.ok(can && late >= 0 && late <= can.granularityMs + 1000, `it is due ${late} ms after the instant that was asked for`);
}

export const longDelays: readonly Case[] = Object.entries(SPANS).map(([word, ms]) => longDelay(word, ms));
