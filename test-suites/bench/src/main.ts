import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { memory } from './memory.ts';
import { lineOf, met, type Row } from './row.ts';

const USAGE = 'Usage: npm run bench -- memory [--rounds 5] [--json]';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const suites: Record<string, typeof memory> = { memory };
const suite = suites[positionals[0] ?? ''];
if (!suite) {
  console.error(USAGE);
  process.exit(2);
}

const rows: Row[] = [];
const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`;
if (!values.json) console.log(`${machine}; medians of ${values.rounds} alternating rounds, each in a process of its own\n`);
await suite(Number(values.rounds), (row) => {
  rows.push(row);
  if (!values.json) console.log(lineOf(row));
});
if (values.json) console.log(JSON.stringify({ machine, rounds: Number(values.rounds), rows }, undefined, 2));
if (!rows.every(met)) process.exitCode = 1;
