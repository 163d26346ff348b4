import { parseArgs } from 'node:util';

export interface Options {
  readonly live: boolean;
  readonly realTime: boolean;
  readonly port: number;
  /** Of the webhook; only needed for `--live`. */
  readonly secret: string;
}

const USAGE = `Usage: npm start                                     the recorded deliveries, on a virtual clock
       npm start -- --real-time                      the same in real time, with seconds for days
       WEBHOOK_SECRET=… npm start -- --live [--port 3000]   real webhooks, until Ctrl-C`;

/** Ends the process with what is wrong and how it is meant. */
function explain(problem: string): never {
  console.error(`${problem}\n\n${USAGE}`);
  process.exit(2);
}

export function readOptions(): Options {
  const { live, 'real-time': realTime, port } = read();
  const secret = process.env.WEBHOOK_SECRET ?? '';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) explain(`--port ${port} is no port.`);
  if (live && secret === '') explain('Set WEBHOOK_SECRET to the secret of the webhook: --live checks every signature.');
  return { live, realTime, port: Number(port), secret };
}

function read(): { live: boolean; 'real-time': boolean; port: string } {
  try {
    const { values } = parseArgs({
      options: {
        live: { type: 'boolean', default: false },
        'real-time': { type: 'boolean', default: false },
        port: { type: 'string', default: '3000' },
      },
    });
    return values;
  } catch (error) {
    return explain((error as Error).message);
  }
}
