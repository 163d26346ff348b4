export { type Case, type Chapter, chapters } from './chapters.ts';
export { conformance, type TestRunner } from './conformance.ts';
export type { CreateOptions, Harness } from './harness.ts';
export { type CaseResult, type Report, type ReportOptions, report, summary } from './report.ts';
