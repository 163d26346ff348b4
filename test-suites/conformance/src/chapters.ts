import type { Chapter } from './case.ts';
import { addressing } from './chapters/addressing.ts';
import { consuming } from './chapters/consuming.ts';
import { delaying } from './chapters/delaying.ts';
import { fanOut } from './chapters/fan-out.ts';
import { lifecycle } from './chapters/lifecycle.ts';
import { losing } from './chapters/losing.ts';
import { manifest } from './chapters/manifest.ts';
import { publishing } from './chapters/publishing.ts';
import { settling } from './chapters/settling.ts';
import { throughCore } from './chapters/through-core.ts';

export type { Case, Chapter } from './case.ts';

/** The suite, in reading order. */
export const chapters: readonly Chapter[] = [
  manifest,
  lifecycle,
  publishing,
  fanOut,
  consuming,
  settling,
  losing,
  delaying,
  addressing,
  throughCore,
];
