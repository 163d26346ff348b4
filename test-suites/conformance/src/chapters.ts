import type { Chapter } from './case.ts';
import { cancelling } from './chapters/cancelling.ts';
import { consuming } from './chapters/consuming.ts';
import { coreHandling } from './chapters/core-handling.ts';
import { coreRetrying } from './chapters/core-retrying.ts';
import { coreScheduling } from './chapters/core-scheduling.ts';
import { deduplicating } from './chapters/deduplicating.ts';
import { delaying } from './chapters/delaying.ts';
import { fanOut } from './chapters/fan-out.ts';
import { histories } from './chapters/history.ts';
import { lifecycle } from './chapters/lifecycle.ts';
import { looking } from './chapters/looking.ts';
import { losing } from './chapters/losing.ts';
import { manifest } from './chapters/manifest.ts';
import { payloads } from './chapters/payloads.ts';
import { processes } from './chapters/processes.ts';
import { publishing } from './chapters/publishing.ts';
import { reconnecting } from './chapters/reconnecting.ts';
import { settling } from './chapters/settling.ts';

export type { Case, Chapter } from './case.ts';

/** The suite, in reading order. */
export const chapters: readonly Chapter[] = [
  manifest,
  lifecycle,
  publishing,
  payloads,
  fanOut,
  consuming,
  settling,
  losing,
  reconnecting,
  delaying,
  cancelling,
  deduplicating,
  looking,
  processes,
  histories,
  coreHandling,
  coreScheduling,
  coreRetrying,
];
