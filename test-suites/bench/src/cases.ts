import { latency } from './cases/latency.ts';
import { parked } from './cases/parked.ts';
import { routing } from './cases/routing.ts';
import { throughput } from './cases/throughput.ts';
import { tracing } from './cases/tracing.ts';

/** What can be measured in a process of its own. */
export const cases = { throughput, latency, parked, routing, tracing };

export type CaseName = keyof typeof cases;
export type Params<Name extends CaseName> = Parameters<(typeof cases)[Name]>[0];
export type Figures<Name extends CaseName> = Awaited<ReturnType<(typeof cases)[Name]>>;
