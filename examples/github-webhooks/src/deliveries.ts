import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { Webhooks } from '@octokit/webhooks';

interface Example {
  readonly name: string;
  readonly examples: readonly object[];
}

/** The package is one JSON file. */
const examples: readonly Example[] = createRequire(import.meta.url)('@octokit/webhooks-examples');

/** What GitHub sends: the kind of event, and the body. */
export interface Delivery {
  readonly kind: string;
  readonly body: string;
}

/** The recorded deliveries, in an order that is mixed but always the same. */
export function recorded(): readonly Delivery[] {
  const all = examples.flatMap(({ name, examples: bodies }) =>
    bodies.map((body) => ({ kind: name, body: JSON.stringify(body) })),
  );
  return mixed(all);
}

/** A Fisher-Yates shuffle by a linear congruential generator (the constants of Numerical Recipes). */
function mixed<Item>(items: Item[]): readonly Item[] {
  let seed = 7;
  for (let i = items.length - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const other = seed % (i + 1);
    [items[i], items[other]] = [items[other] as Item, items[i] as Item];
  }
  return items;
}

/** Sends one as GitHub does, signed. Resolves with the HTTP status. */
export async function send({ kind, body }: Delivery, url: string, secret: string): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    'x-github-event': kind,
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': await new Webhooks({ secret }).sign(body),
  };
  const response = await fetch(url, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.status;
}
