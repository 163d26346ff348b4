import { fileURLToPath } from 'node:url';
import { alternate, commandMs, measure, median } from './measure.ts';
import type { Row } from './row.ts';

/** Wrkr on memory against what a program would take instead, and against itself as things grow. */
export async function memory(rounds: number, report: (row: Row) => void): Promise<void> {
  report(await throughputRow('at once', 1_000_000, rounds, 0.8));
  report(await throughputRow('window', 300_000, rounds, undefined));
  report(await besideRow('middleware', 'with one handle middleware that only calls next', rounds));
  report(await besideRow('subscriber', 'with a subscriber of both tracing channels', rounds));
  report(await tracingRow(rounds));
  report(await fanOutRow(rounds));
  report(await latencyRow(rounds));
  for (const row of await parkedRows(rounds)) report(row);
  for (const row of await routingRows(rounds)) report(row);
  report(await importRow(rounds));
}

async function throughputRow(
  drive: 'at once' | 'window',
  events: number,
  rounds: number,
  least: number | undefined,
): Promise<Row> {
  const of = (subject: 'wrkr' | 'fastq') => () => measure('throughput', { subject, drive, events, queues: 1 });
  const pairs = await alternate(rounds, of('wrkr'), of('fastq'));
  const [wrkr, fastq] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  return {
    what: `publish, handle, ack; 200 bytes, one queue, ${drive === 'at once' ? `${events} pushed at once` : '1,000 under way'}`,
    figure: median(pairs.map(([a, b]) => a / b)),
    unit: '× fastq with the same JSON',
    ...(least !== undefined && { least }),
    detail: `${kilo(wrkr)}/s against ${kilo(fastq)}/s`,
  };
}

async function besideRow(beside: 'middleware' | 'subscriber', what: string, rounds: number): Promise<Row> {
  const plain = { subject: 'wrkr', drive: 'at once', events: 300_000, queues: 1 } as const;
  const pairs = await alternate(
    rounds,
    () => measure('throughput', { ...plain, beside }),
    () => measure('throughput', plain),
  );
  const [extra, without] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  return {
    what: `the same ${what}`,
    figure: median(pairs.map(([a, b]) => 1e6 / a - 1e6 / b)),
    unit: 'µs more per event',
    detail: `${kilo(extra)}/s against ${kilo(without)}/s`,
  };
}

async function tracingRow(rounds: number): Promise<Row> {
  const figures: number[] = [];
  for (let i = 0; i < rounds; i++) figures.push(await measure('tracing', { checks: 50_000_000 }));
  return {
    what: 'asking a tracing channel to which nobody listens',
    figure: median(figures),
    unit: 'ns',
    most: 10,
    detail: 'once per publish and once per handler; the loop of the measurement included',
  };
}

async function fanOutRow(rounds: number): Promise<Row> {
  const of = (queues: number) => () => measure('throughput', { subject: 'wrkr', drive: 'window', events: 200_000, queues });
  const pairs = await alternate(rounds, of(1), of(5));
  const five = median(pairs.map(([, b]) => b));
  return {
    what: 'one event for 5 queues',
    figure: median(pairs.map(([a, b]) => a / b)),
    unit: '× the cost of one queue',
    most: 4,
    detail: `${kilo(five)} events/s, ${kilo(five * 5)} deliveries/s`,
  };
}

async function latencyRow(rounds: number): Promise<Row> {
  const runs: (readonly number[])[] = [];
  for (let i = 0; i < rounds; i++) runs.push(await measure('latency', { events: 2000 }));
  const [p50, p99, max] = [0, 1, 2].map((i) => median(runs.map((run) => run[i] ?? 0)));
  return {
    what: 'idle bus: publish to handler, p99',
    figure: p99 ?? 0,
    unit: 'ms',
    most: 1,
    detail: `p50 ${short(p50)} ms, max ${short(max)} ms`,
  };
}

async function parkedRows(rounds: number): Promise<readonly Row[]> {
  const few = 1000;
  const many = 1_000_000;
  const pairs = await alternate(
    rounds,
    () => measure('parked', { backlog: few }),
    () => measure('parked', { backlog: many }),
  );
  const ratio = (key: 'publishNs' | 'cancelNs'): number => median(pairs.map(([a, b]) => b[key] / a[key]));
  const us = (key: 'publishNs' | 'cancelNs', which: 0 | 1): string => short(median(pairs.map((pair) => pair[which][key])) / 1000);
  return [
    {
      what: 'a delayed publish with 1,000,000 parked',
      figure: ratio('publishNs'),
      unit: '× with 1,000 parked',
      most: 2,
      detail: `${us('publishNs', 1)} µs against ${us('publishNs', 0)} µs`,
    },
    {
      what: 'a cancel by id with 1,000,000 parked',
      figure: ratio('cancelNs'),
      unit: '× with 1,000 parked (log n: 2)',
      detail: `${us('cancelNs', 1)} µs against ${us('cancelNs', 0)} µs`,
    },
    {
      what: 'heap of a parked event beyond its payload',
      figure: median(pairs.map(([, b]) => b.heapBytes)),
      unit: 'bytes',
      most: 1024,
      detail: 'of 1,000,000',
    },
  ];
}

async function routingRows(rounds: number): Promise<readonly Row[]> {
  const pairs = await alternate(
    rounds,
    () => measure('routing', { patterns: 10 }),
    () => measure('routing', { patterns: 1000 }),
  );
  return [0, 1].map((which) => ({
    what: `routing an event with 1,000 patterns, 5 of which match, ${which === 0 ? 'a new name' : 'a known name'}`,
    figure: median(pairs.map(([few, many]) => (many[which] ?? 0) / (few[which] ?? 1))),
    unit: '× with 10 patterns',
    most: 5,
    detail: `${Math.round(median(pairs.map(([, many]) => many[which] ?? 0)))} ns`,
  }));
}

async function importRow(rounds: number): Promise<Row> {
  const imports = fileURLToPath(new URL('./imports.js', import.meta.url));
  const nothing = fileURLToPath(new URL('./nothing.js', import.meta.url));
  const pairs = await alternate(
    rounds * 3,
    () => commandMs([imports]),
    () => commandMs([nothing]),
  );
  const [all, bare] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
  return {
    what: 'importing wrkr and @wrkr/memory',
    figure: median(pairs.map(([a, b]) => a - b)),
    unit: 'ms',
    most: 60,
    detail: `a process that does takes ${Math.round(all)} ms, one that does not ${Math.round(bare)} ms`,
  };
}

function kilo(value: number): string {
  return `${Math.round(value / 1000)}k`;
}

function short(value = 0): string {
  return value.toPrecision(2);
}
