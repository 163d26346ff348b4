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

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
  const [name] = positionals;
  if (name === undefined || positionals.length > 1) {
    console.error(USAGE);
    return 2;
  }
  const file = fileOf(name);
  if (!existsSync(file)) {
    console.error(`There is no harness at ${file}.\n\n${USAGE}`);
    return 2;
  }
  const { harness } = (await import(pathToFileURL(file).href)) as { harness: Harness };
  const result = await report(name, harness, {
    ...(values.only !== undefined && { only: values.only }),
    onChapter: (line, failed) => {
      console.log(line);
      for (const one of failed) printFailure(one);
    },
  });
  for (const { id, status, reason } of result.results) if (status === 'not run') console.log(`NOT RUN ${id}: ${reason}`);
  console.log(summary(result));
  return result.results.some(({ status }) => status === 'failed') ? 1 : 0;
}

process.exitCode = await main();
