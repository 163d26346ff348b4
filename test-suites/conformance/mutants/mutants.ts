import { addressing } from './addressing.ts';
import { browsing } from './browsing.ts';
import { closed } from './closed.ts';
import { consuming } from './consuming.ts';
import { cutting } from './cutting.ts';
import { delaying } from './delaying.ts';
import { fanOut } from './fan-out.ts';
import { keys } from './keys.ts';
import { lifecycle } from './lifecycle.ts';
import { looking } from './looking.ts';
import { losing } from './losing.ts';
import { moving } from './moving.ts';
import type { Mutant } from './mutant.ts';
import { payload } from './payload.ts';
import { publishing } from './publishing.ts';
import { rarely } from './rarely.ts';
import { settling } from './settling.ts';
import { throughCore } from './through-core.ts';

/** All of them, in the order of the suite. */
export const mutants: readonly Mutant[] = [
  ...lifecycle,
  ...closed,
  ...publishing,
  ...payload,
  ...fanOut,
  ...consuming,
  ...settling,
  ...moving,
  ...losing,
  ...cutting,
  ...delaying,
  ...addressing,
  ...keys,
  ...browsing,
  ...looking,
  ...rarely,
  ...throughCore,
];
