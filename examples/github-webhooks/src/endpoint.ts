import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhooks } from '@octokit/webhooks';
import type { EventInput, Wrkr } from 'wrkr';

/** As much of a body as its event's name and subject need. */
interface Body {
  readonly action?: string;
  readonly repository?: { readonly full_name: string };
  readonly organization?: { readonly login: string };
  readonly sender?: { readonly login: string };
  readonly issue?: { readonly number: number };
  readonly pull_request?: { readonly number: number };
  readonly discussion?: { readonly number: number };
}

/** `github.issues.opened`, about `owner/repository#number`. */
export function eventOf(kind: string, id: string, body: Body): EventInput {
  const { number } = body.issue ?? body.pull_request ?? body.discussion ?? {};
  const subject = body.repository?.full_name ?? body.organization?.login ?? body.sender?.login ?? 'github';
  return {
    name: ['github', kind, body.action].filter(Boolean).join('.'),
    tid: number === undefined ? subject : `${subject}#${number}`,
    payload: body,
    id, // the id of the delivery: if GitHub delivers it again, it is the same event
  };
}

/** Listens for webhooks and publishes each whose signature is good. 202 means that every queue has it. */
export async function listen(wrkr: Wrkr, secret: string, port: number): Promise<{ url: string; server: Server }> {
  const webhooks = new Webhooks({ secret });
  const receive = async (request: IncomingMessage): Promise<number> => {
    const body = await text(request);
    const header = (name: string): string => String(request.headers[name] ?? '');
    const good = await webhooks.verify(body, header('x-hub-signature-256')).catch(() => false);
    if (!good) return 401;
    await wrkr.publish(eventOf(header('x-github-event'), header('x-github-delivery'), JSON.parse(body)));
    return 202;
  };
  const server = createServer((request, response) => {
    void receive(request)
      .catch((error) => (error.code === 'WRKR_UNAVAILABLE' ? 503 : 400))
      .then((status) => response.writeHead(status).end());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
