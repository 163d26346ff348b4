#!/usr/bin/env node
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Capabilities } from 'wrkr/backend';
import type { Harness } from './harness.ts';
import { loadHarness, UsageError } from './load-harness.ts';
import { probe, runName } from './probe.ts';
import { capabilityTable, toJson } from './record.ts';
import { type CaseResult, type Report, report, summary } from './report.ts';
import { Strays } from './strays.ts';

const USAGE = `Usage: wrkr-conformance <harness> [--only <part of an id>,...] [--json <file>] [--side-by-side <cases at once>]
       wrkr-conformance --table <harness>...

<harness> is a module that exports "harness"; in the repository of Wrkr, the name of a package will do.`;

const OPTIONS = {
  only: { type: 'string', default: '' },
  json: { type: 'string' },
  table: { type: 'boolean', default: false },
  'side-by-side': { type: 'string' },
} as const;

interface Asked {
  readonly names: readonly string[];
  readonly only: string;
  readonly json: string | undefined;
  readonly table: boolean;
  readonly sideBySide: number | undefined;
}

function read(): Asked {
  try {
    const { values, positionals: names } = parseArgs({ allowPositionals: true, options: OPTIONS });
    if (names.length === 0 || (names.length > 1 && !values.table)) throw new Error('Name one harness.');
    const width = values['side-by-side'];
    const sideBySide = width === undefined ? undefined : Number(width);
    if (sideBySide !== undefined && !(sideBySide >= 1)) throw new Error('--side-by-side must be a number from 1 on.');
    return { names, only: values.only, json: values.json, table: values.table, sideBySide };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function printFailure({ id, reason, where, error, logs = [] }: CaseResult): void {
  console.log(`  FAILED ${id}: ${reason}${where ? ` (${where})` : ''}`);
  for (const line of logs) console.log(`    logged ${line}`);
  if (process.env.DEBUG) console.log(error);
}

function onChapter(line: string, failed: readonly CaseResult[]): void {
  console.log(line);
  for (const one of failed) printFailure(one);
}

async function printTable(names: readonly string[]): Promise<number> {
  const columns: Record<string, Capabilities> = {};
  for (const name of names) columns[name] = (await probe(await loadHarness(name), runName())).capabilities;
  console.log(capabilityTable(columns));
  return 0;
}

async function run(name: string, harness: Harness, { only, json, sideBySide }: Asked): Promise<number> {
  const strays = new Strays();
  const result = await report(name, harness, { only, onChapter, strays, ...(sideBySide !== undefined && { sideBySide }) });
  if (result.results.length === 0) throw new UsageError(`No case has '${only}' in its id.`);
  printOthers(result);
  for (const error of strays.unclaimed) console.log(`FAILED while no case was running: ${String(error)}`);
  console.log(`${(result.ms / 1000).toFixed(1)} s, with waits for round trips of ${result.roundTripMs.toFixed(1)} ms`);
  console.log(summary(result));
  if (json !== undefined) writeFileSync(json, toJson(result));
  return result.results.some(({ status }) => status === 'failed') || strays.unclaimed.length > 0 ? 1 : 0;
}

function printOthers({ results }: Report): void {
  for (const { id, status, reason } of results) {
    if (status === 'not run') console.log(`NOT RUN ${id}: ${reason}`);
    if (status === 'known failure') console.log(`KNOWN TO FAIL ${id}: ${reason}`);
  }
}

async function main(): Promise<number> {
  const asked = read();
  if (asked.table) return printTable(asked.names);
  const [name] = asked.names as [string];
  return run(name, await loadHarness(name), asked);
}

const code = await main().catch((error: unknown) => {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
  else console.error('The suite could not run:', error);
  return 2;
});
// Whatever else is left running: there is a case for that, and the result is out.
process.stdout.write('', () => process.exit(code));
