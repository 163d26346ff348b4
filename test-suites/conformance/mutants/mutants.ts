import { addressing } from './addressing.ts';
import { consuming } from './consuming.ts';
import { delaying } from './delaying.ts';
import { fanOut } from './fan-out.ts';
import { lifecycle } from './lifecycle.ts';
import { looking } from './looking.ts';
import { losing } from './losing.ts';
import type { Mutant } from './mutant.ts';
import { payload } from './payload.ts';
import { publishing } from './publishing.ts';
import { rarely } from './rarely.ts';
import { settling } from './settling.ts';

/** All of them, in the order of the suite. */
export const mutants: readonly Mutant[] = [
  ...lifecycle,
  ...publishing,
  ...payload,
  ...fanOut,
  ...consuming,
  ...settling,
  ...losing,
  ...delaying,
  ...addressing,
  ...looking,
  ...rarely,
];
