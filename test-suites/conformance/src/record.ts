import { readFileSync } from 'node:fs';
import type { Capabilities } from 'wrkr/backend';
import type { Report } from './report.ts';

/** A run as JSON, to be kept and compared. */
export function toJson({ name, capabilities, roundTripMs, ms, results }: Report): string {
  const cases = results.map(({ id, status, reason }) => [id, { status, ...(reason !== undefined && { reason }) }]);
  const record = {
    suite: version(),
    contract: capabilities.contract,
    backend: name,
    seconds: Math.round(ms / 100) / 10,
    roundTripMs: Math.round(roundTripMs * 100) / 100,
    capabilities,
    cases: Object.fromEntries(cases),
  };
  return `${JSON.stringify(record, null, 2)}\n`;
}

function version(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

/** What backends can do, in Markdown: a column each. */
export function capabilityTable(backends: Readonly<Record<string, Capabilities>>): string {
  const columns = Object.values(backends).map((capabilities) => new Map(Object.entries(flat(capabilities))));
  const keys = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const head = ['Capability', ...Object.keys(backends)];
  const rows = keys.map((key) => [`\`${key}\``, ...columns.map((column) => column.get(key) ?? '–')]);
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** `lease.kind: timed` for what lies in one another. */
function flat(capabilities: object, path = ''): Readonly<Record<string, string>> {
  const cells = Object.entries(capabilities).map(([key, value]: [string, unknown]) => {
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
    return nested ? flat(value, `${path}${key}.`) : { [path + key]: shown(value) };
  });
  return Object.assign({}, ...cells) as Readonly<Record<string, string>>;
}

function shown(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.join(', ') || 'nothing' : String(value);
}
