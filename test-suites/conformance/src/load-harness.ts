import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Harness } from './harness.ts';

/** What was asked for cannot be done: said in one sentence, with exit code 2. */
export class UsageError extends Error {}

/** A path, or the harness of a package of this repository. */
function fileOf(harness: string): string {
  const own = resolve('packages', harness, 'test', 'harness.js');
  return existsSync(own) ? own : resolve(harness);
}

export async function loadHarness(name: string): Promise<Harness> {
  const file = fileOf(name);
  if (!existsSync(file)) throw new UsageError(`There is no harness at ${file}.`);
  const module: Promise<{ harness?: Harness }> = import(pathToFileURL(file).href);
  const { harness } = await module.catch((error: Error) => {
    throw new UsageError(`${file} cannot be loaded: ${error.message}`);
  });
  if (typeof harness?.create !== 'function') throw new UsageError(`${file} exports no harness with create().`);
  return harness;
}
