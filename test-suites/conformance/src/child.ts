import type { Order } from './child-process.ts';
import { type ChildScript, scripts } from './child-scripts.ts';
import type { Harness } from './harness.ts';

/** The program of a child: `child.js <url of the harness> <order>`. */
const [, , module = '', order = '{}'] = process.argv;
const { harness } = (await import(module)) as { harness: Harness };
const { script, namespace, data } = JSON.parse(order) as Order;
const run = scripts[script] as ChildScript;
await run(
  () => harness.create({ namespace }),
  data,
  (message) => void process.send?.(message),
);
