import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CaseName, Figures, Params } from './cases.ts';

const child = fileURLToPath(new URL('./child.js', import.meta.url));

/** Runs one case in a fresh process. */
export async function measure<Name extends CaseName>(name: Name, params: Params<Name>): Promise<Figures<Name>> {
  const args = ['--expose-gc', '--max-old-space-size=8192', child, name, JSON.stringify(params)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Figures<Name>;
}

/** Both in turn, so that a machine whose speed drifts drifts for both: the figures of each round. */
export async function alternate<A, B>(
  rounds: number,
  a: () => Promise<A>,
  b: () => Promise<B>,
): Promise<readonly (readonly [A, B])[]> {
  const results: [A, B][] = [];
  for (let i = 0; i < rounds; i++) results.push(i % 2 === 0 ? [await a(), await b()] : await reversed(a, b));
  return results;
}

async function reversed<A, B>(a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> {
  const second = await b();
  return [await a(), second];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}

/** Milliseconds that a command takes. */
export async function commandMs(args: readonly string[]): Promise<number> {
  const began = performance.now();
  await promisify(execFile)(process.execPath, args);
  return performance.now() - began;
}
