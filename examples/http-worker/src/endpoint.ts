import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Wrkr } from 'wrkr';
import { readQuestion } from './primes.ts';
import type { Cache, Events } from './worker.ts';

interface Answer {
  readonly status: number;
  readonly body?: object;
  /** In how many seconds to ask again. */
  readonly retryAfter?: number;
}

/** The same for every request that wants the same, however it is put. */
export function signatureOf(question: object): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('hex');
}

/** Answers from the cache, or has the work queued, once for each signature, and says when to ask again. */
async function answer({ method, url = '' }: IncomingMessage, wrkr: Wrkr<Events>, cache: Cache): Promise<Answer> {
  const question = readQuestion(url);
  if (method !== 'GET' || !question) return { status: 404, body: { error: 'Ask GET /primes?below=1000000' } };
  const signature = signatureOf(question);
  const known = cache.get(signature);
  if (known) return known;
  await wrkr.publish({ name: 'answer.wanted', tid: signature, payload: question, once: true });
  return { status: 202, body: { queued: signature }, retryAfter: 1 };
}

export async function listen(wrkr: Wrkr<Events>, cache: Cache, port: number): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    void answer(request, wrkr, cache)
      .catch((error): Answer => ({ status: error.code === 'WRKR_UNAVAILABLE' ? 503 : 500, retryAfter: 5 }))
      .then(({ status, body = {}, retryAfter }) => {
        if (retryAfter) response.setHeader('retry-after', retryAfter);
        response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
      });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
