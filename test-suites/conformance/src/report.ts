import { chapters } from './chapters.ts';
import type { Harness } from './harness.ts';
import { gateOf, probe, runCase, runName, type Status } from './run-case.ts';

export interface CaseResult {
  readonly id: string;
  readonly chapter: string;
  readonly status: Status;
  /** Why it failed, does not apply or was not run. */
  readonly reason?: string;
  readonly error?: unknown;
}

export interface Report {
  readonly name: string;
  readonly results: readonly CaseResult[];
}

export interface ReportOptions {
  /** Only cases whose id contains this. */
  readonly only?: string;
  /** How many cases at once. @default 1 where the backend is in this process, 8 on a network */
  readonly sideBySide?: number;
  /** Called when a chapter is done. */
  readonly onChapter?: (line: string, failed: readonly CaseResult[]) => void;
}

/** Runs the suite without a test runner. */
export async function report(name: string, harness: Harness, options: ReportOptions = {}): Promise<Report> {
  const run = runName();
  const probed = await probe(harness, run);
  const width = options.sideBySide ?? (probed.capabilities.scope === 'process' ? 1 : 8);
  const results: CaseResult[] = [];
  let count = 0;
  for (const chapter of chapters) {
    const cases = chapter.cases.filter(({ id }) => id.includes(options.only ?? ''));
    const waiting = [...cases];
    const done = new Map<string, CaseResult>();
    const work = async (): Promise<void> => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        const gate = gateOf(one, harness, probed);
        const base = { id: one.id, chapter: chapter.name };
        if (gate) done.set(one.id, { ...base, ...gate });
        else
          done.set(one.id, {
            ...base,
            ...(await outcome(() => runCase(one, harness, probed.capabilities, `${run}x${++count}`))),
          });
      }
    };
    await Promise.all(Array.from({ length: width }, work));
    const ordered = cases.map(({ id }) => done.get(id) as CaseResult);
    results.push(...ordered);
    if (ordered.length > 0)
      options.onChapter?.(
        `${chapter.name.padEnd(22)} ${counts(ordered)}`,
        ordered.filter(({ status }) => status === 'failed'),
      );
  }
  return { name, results };
}

async function outcome(run: () => Promise<void>): Promise<Pick<CaseResult, 'status' | 'reason' | 'error'>> {
  try {
    await run();
    return { status: 'passed' };
  } catch (error) {
    return { status: 'failed', reason: error instanceof Error ? error.message : String(error), error };
  }
}

/** `N passed, N failed, N not applicable, N not run`. */
export function summary({ results }: Report): string {
  return counts(results);
}

function counts(results: readonly CaseResult[]): string {
  const statuses: readonly Status[] = ['passed', 'failed', 'not applicable', 'not run'];
  return statuses.map((status) => `${results.filter((one) => one.status === status).length} ${status}`).join(', ');
}
