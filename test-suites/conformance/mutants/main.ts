import { parseArgs } from 'node:util';
import { mutants } from './mutants.ts';
import { falseAlarms, type Trial, tryAll } from './try.ts';

const { values } = parseArgs({ options: { verbose: { type: 'boolean', default: false } } });

function print({ mutant, caught, why }: Trial): void {
  if (!caught) console.log(`SURVIVED ${mutant.caughtBy}: it ${mutant.breaks}\n         ${why}`);
  else if (values.verbose) console.log(`caught   ${mutant.caughtBy}: it ${mutant.breaks}\n         ${why.split('\n')[0]}`);
}

const alarms = await falseAlarms(mutants);
for (const id of alarms) console.log(`FALSE ALARM ${id}: fails where nothing is broken`);
const trials = await tryAll(mutants);
for (const trial of trials) print(trial);
const caught = trials.filter((trial) => trial.caught && !alarms.includes(trial.mutant.caughtBy)).length;
console.log(`${caught} of ${trials.length} mutants caught`);
process.exit(caught === trials.length ? 0 : 1); // broken backends may have left timers
