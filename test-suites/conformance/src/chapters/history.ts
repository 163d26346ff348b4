import assert from 'node:assert/strict';
import type { Backend, Delivery } from 'wrkr/backend';
import { type Chapter, it } from '../case.ts';
import { random } from '../random.ts';
import type { Tap } from '../tap.ts';
import type { World } from '../world.ts';

/** What happened, for the rules that hold whatever the order: nothing lost, nothing invented, nothing after its ack. */
class History {
  readonly sent = new Set<string>();
  readonly acked = new Set<string>();
  readonly steps: string[] = [];

  note(step: string): void {
    this.steps.push(step);
  }

  expect(holds: boolean, what: string): void {
    assert.ok(holds, `${what}; the last steps were ${this.steps.slice(-20).join(', ')}`);
  }

  check(tap: Tap): void {
    for (const { id } of tap.held) {
      this.expect(this.sent.has(id), `${id} was never sent`);
      this.expect(!this.acked.has(id), `${id} came back after it was acked`);
    }
  }
}

interface Scene {
  readonly world: World;
  readonly queue: string;
  readonly history: History;
  backend: Backend;
  tap: Tap;
}

type Step = (scene: Scene, held: Delivery | undefined) => Promise<void>;

/** A new process in place of the old. */
async function goOn(scene: Scene): Promise<void> {
  scene.backend = await scene.world.open();
  scene.tap = await scene.world.consume(scene.backend, scene.queue, { max: 5, leaseMs: scene.world.leaseMs });
}

const steps: Readonly<Record<string, Step>> = {
  send: async ({ world, backend, queue, history }) => {
    history.sent.add(await world.send(backend, { to: { queue } }));
  },
  delay: async ({ world, backend, queue, history }) => {
    const at = world.capabilities.delay ? backend.now() + world.span(20_000, 500) : 0;
    history.sent.add(await world.send(backend, { to: { queue }, at }));
  },
  ack: async ({ tap, history }, held) => {
    if (held && (await tap.ack(held)).length === 0) history.acked.add(held.id);
  },
  move: async ({ tap }, held) => {
    if (held) await tap.move(held);
  },
  pass: ({ world }) => world.pass(world.span(3000, 20)),
  close: async (scene) => {
    await scene.backend.close();
    await goOn(scene);
  },
  crash: async (scene) => {
    await scene.world.crash(scene.backend);
    await goOn(scene);
  },
};

/** Sends and settlements are frequent, ends of processes rare. */
const weighted = ['send', 'send', 'send', 'delay', 'ack', 'ack', 'ack', 'ack', 'move', 'move', 'pass', 'pass', 'close', 'crash'];

async function drain({ world, tap, history }: Scene): Promise<void> {
  await world.pass(world.span(60_000, 1000) + world.leaseOver);
  while (history.acked.size < history.sent.size) {
    await world.until(`${history.sent.size - history.acked.size} more events`, () => tap.held.size > 0);
    history.check(tap);
    const [held] = [...tap.held] as [Delivery];
    if ((await tap.ack(held)).length === 0) history.acked.add(held.id);
  }
}

export const histories: Chapter = {
  name: 'histories',
  cases: [1, 2, 3].map((seed) =>
    it(
      `history.seed-${seed}`,
      'whatever is done, in whatever order, with processes that end and die: nothing is lost, invented or done twice',
      async (world) => {
        const next = random(seed);
        const backend = await world.open();
        const queue = await world.queue(backend, 'q');
        const history = new History();
        const tap = await world.consume(backend, queue, { max: 5, leaseMs: world.leaseMs });
        const scene: Scene = { world, queue, history, backend, tap };
        for (let n = 0; n < 120; n++) {
          const word = weighted[next(weighted.length)] as string;
          history.note(word);
          const held = [...scene.tap.held];
          await steps[word]?.(scene, held[next(held.length)]);
          history.check(scene.tap);
        }
        await drain(scene);
        await world.fence(scene.backend, scene.tap, scene.tap.all.length);
      },
      { hooks: ['crash'] },
    ),
  ),
};
