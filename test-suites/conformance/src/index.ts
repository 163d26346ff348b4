export { type Case, type Chapter, chapters } from './chapters.ts';
export { conformance, type TestRunner } from './conformance.ts';
export type { Created, CreateOptions, DueEvent, Harness, Restore } from './harness.ts';
export { capabilityTable, toJson } from './record.ts';
export { type CaseResult, type Report, type ReportOptions, report, summary } from './report.ts';
