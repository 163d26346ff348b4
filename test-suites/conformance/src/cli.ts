#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Harness } from './harness.ts';
import { type CaseResult, report, summary } from './report.ts';

const USAGE = `Usage: wrkr-conformance <harness> [--only <part of an id>]

<harness> is a module that exports "harness"; in the repository of Wrkr, the name of a package will do.`;

/** A path, or the harness of a package of this repository. */
function fileOf(harness: string): string {
  const own = resolve('packages', harness, 'test', 'harness.js');
  return existsSync(own) ? own : resolve(harness);
}

function printFailure({ id, reason, error }: CaseResult): void {
  console.log(`  FAILED ${id}: ${reason}`);
  if (process.env.DEBUG) console.log(error);
}

/** What was asked for cannot be done: said in one sentence, with exit code 2. */
class UsageError extends Error {}

async function load(name: string): Promise<Harness> {
  const file = fileOf(name);
  if (!existsSync(file)) throw new UsageError(`There is no harness at ${file}.`);
  const module: Promise<{ harness?: Harness }> = import(pathToFileURL(file).href);
  const { harness } = await module.catch((error: Error) => {
    throw new UsageError(`${file} cannot be loaded: ${error.message}`);
  });
  if (typeof harness?.create !== 'function') throw new UsageError(`${file} exports no harness with create().`);
  return harness;
}

function read(): { name: string; only: string } {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string', default: '' } } });
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0) throw new Error('Name one harness.');
    return { name, only: values.only };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main(): Promise<number> {
  const { name, only } = read();
  const onChapter = (line: string, failed: readonly CaseResult[]): void => {
    console.log(line);
    for (const one of failed) printFailure(one);
  };
  const result = await report(name, await load(name), { only, onChapter });
  if (result.results.length === 0) throw new UsageError(`No case has '${only}' in its id.`);
  for (const { id, status, reason } of result.results) if (status === 'not run') console.log(`NOT RUN ${id}: ${reason}`);
  console.log(summary(result));
  return result.results.some(({ status }) => status === 'failed') ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  return 2;
});
