import { once } from 'node:events';
import { Wrkr } from 'wrkr';
import { backend } from './backend.ts';
import { listen } from './endpoint.ts';
import { primes } from './primes.ts';
import { type Cache, type Events, work } from './worker.ts';

const wrkr = new Wrkr<Events>({ backend: backend(), name: 'http-worker' });
const cache: Cache = new Map();
await work(wrkr, cache, primes);
await wrkr.start();
const { url, server } = await listen(wrkr, cache, Number(process.env.PORT ?? 3000));
console.log(`Ask ${url}/primes?below=1000000; Ctrl-C ends it`);

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
server.close();
await wrkr.stop(); // what runs is finished; what waits is given back
