import type { Capabilities, Ms } from 'wrkr/backend';
import { SystemClock } from 'wrkr/backend';
import type { Case, Chapter } from './case.ts';
import { chapters } from './chapters.ts';
import type { Harness } from './harness.ts';
import { type Probe, probe, runName } from './probe.ts';
import { gateOf, type Outcome, runCase, type Status } from './run-case.ts';
import type { Strays } from './strays.ts';

export interface CaseResult extends Outcome {
  readonly id: string;
  readonly chapter: string;
  readonly ms: Ms;
}

export interface Report {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** What the waits were taken from. */
  readonly roundTripMs: Ms;
  readonly ms: Ms;
  readonly results: readonly CaseResult[];
}

export interface ReportOptions {
  /** Only cases whose id contains this, or one of these, separated by commas. */
  readonly only?: string;
  /** How many cases at once. @default 1 where the backend is in this process, 8 on a network */
  readonly sideBySide?: number;
  /** Called when a chapter is done, in their order. */
  readonly onChapter?: (line: string, failed: readonly CaseResult[]) => void;
  /** Where what nobody handles is caught. @default nowhere: the process ends */
  readonly strays?: Strays;
}

/** Runs the suite without a test runner. Throws if a known failure is none of its cases. */
export async function report(name: string, harness: Harness, options: ReportOptions = {}): Promise<Report> {
  checkKnown(harness);
  const { real } = new SystemClock();
  const began = real.now();
  const run = new Run(harness, options);
  const results = await run.all().finally(() => harness.end?.());
  const { capabilities, roundTripMs } = run.probed;
  return { name, capabilities, roundTripMs, ms: real.now() - began, results };
}

function checkKnown({ knownFailures = {} }: Harness): void {
  const ids = new Set(chapters.flatMap(({ cases }) => cases.map(({ id }) => id)));
  const unknown = Object.keys(knownFailures).find((id) => !ids.has(id));
  if (unknown !== undefined) throw new Error(`knownFailures: there is no case '${unknown}'`);
}

class Run {
  readonly #harness: Harness;
  readonly #options: ReportOptions;
  readonly #name = runName();
  readonly #real = new SystemClock().real;
  readonly #done = new Map<string, CaseResult>();
  #probed: Probe | undefined;
  #told = 0;
  #count = 0;

  constructor(harness: Harness, options: ReportOptions) {
    this.#harness = harness;
    this.#options = options;
  }

  get probed(): Probe {
    if (!this.#probed) throw new Error('the backend has not been probed');
    return this.#probed;
  }

  async all(): Promise<readonly CaseResult[]> {
    this.#probed = await probe(this.#harness, this.#name);
    const waiting = chapters.flatMap((chapter) => this.#casesOf(chapter).map((one) => ({ one, chapter })));
    const width = this.#options.sideBySide ?? (this.#probed.capabilities.scope === 'process' ? 1 : 8);
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        this.#done.set(next.one.id, await this.#try(next.one, next.chapter));
        this.#tell();
      }
    };
    await Promise.all(Array.from({ length: width }, work));
    return chapters.flatMap((chapter) => this.#resultsOf(chapter));
  }

  #casesOf({ cases }: Chapter): readonly Case[] {
    const parts = (this.#options.only ?? '').split(',');
    return cases.filter(({ id }) => parts.some((part) => id.includes(part)));
  }

  #resultsOf(chapter: Chapter): readonly CaseResult[] {
    return this.#casesOf(chapter).flatMap(({ id }) => this.#done.get(id) ?? []);
  }

  async #try(one: Case, { name: chapter }: Chapter): Promise<CaseResult> {
    const began = this.#real.now();
    const prefix = `${this.#name}x${++this.#count}`;
    const run = (stray?: Promise<never>): Promise<Outcome> => runCase(one, this.#harness, this.probed, prefix, stray);
    const gate = gateOf(one, this.#harness, this.probed);
    const outcome = gate ?? (await (this.#options.strays ? this.#options.strays.during(run) : run()));
    return { id: one.id, chapter, ms: this.#real.now() - began, ...outcome };
  }

  /** The chapters that are done, and all before them. */
  #tell(): void {
    for (let next = chapters[this.#told]; next; next = chapters[++this.#told]) {
      const results = this.#resultsOf(next);
      if (results.length < this.#casesOf(next).length) return;
      if (results.length > 0) this.#options.onChapter?.(`${next.name.padEnd(32)} ${counts(results)}`, results.filter(isFailed));
    }
  }
}

function isFailed({ status }: CaseResult): boolean {
  return status === 'failed';
}

/** `N passed, N failed, N not applicable, N not run`, and known failures where there are any. */
export function summary({ results }: Pick<Report, 'results'>): string {
  return counts(results);
}

function counts(results: readonly CaseResult[]): string {
  const count = (status: Status): number => results.filter((one) => one.status === status).length;
  const always: readonly Status[] = ['passed', 'failed', 'not applicable', 'not run'];
  const known = count('known failure');
  return [...always.map((status) => `${count(status)} ${status}`), ...(known > 0 ? [`${known} known to fail`] : [])].join(', ');
}
