import { type CaseName, cases } from './cases.ts';

/** Measures one case, named and parametrised by the command line, and prints the figures. */
const [name, params] = process.argv.slice(2) as [CaseName, string];
const run = cases[name] as (params: unknown) => Promise<unknown>;
console.log(JSON.stringify(await run(JSON.parse(params))));
process.exit(0);
