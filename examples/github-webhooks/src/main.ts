import { once } from 'node:events';
import { Wrkr } from 'wrkr';
import { setting } from './backend.ts';
import { recorded, send } from './deliveries.ts';
import { listen } from './endpoint.ts';
import { readOptions } from './options.ts';
import { Tally } from './tally.ts';
import { audit, billing, chat, releases, triage, type World } from './teams.ts';

const options = readOptions();
const { backend, clock, patience, minute, aMoment, anHour, aFortnight } = setting(options);
const wrkr = new Wrkr({ backend, clock, name: 'webhooks' });
const tell = (queue: string, what: string): void => {
  console.log(`${new Date(clock.now()).toISOString().slice(0, 16)}  ${queue.padEnd(9)} ${what}`);
};
const world: World = { wrkr, tally: new Tally(), patience, minute, tell };

wrkr.on('retry', ({ queue, name, attempt }, error, at) => {
  tell(queue, `${name}: attempt ${attempt} failed (${(error as Error).message}); again at ${at.toISOString().slice(11, 19)}`);
});
wrkr.on('dead', ({ queue, name, attempt }, error) => {
  tell(queue, `${name}: given up after ${attempt} attempts (${(error as Error).message})`);
});

await audit(world);
await triage(world);
await releases(world);
await chat(world);
const { mend } = await billing(world);
await wrkr.start();

if (options.live) await live();
else await replay();

/** Real webhooks, in real time, until the process is asked to end. */
async function live(): Promise<void> {
  mend(); // here it is only a joke
  const { url, server } = await listen(wrkr, options.secret, options.port);
  console.log(`Listening on ${url}; Ctrl-C ends it`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  server.close();
  await wrkr.stop();
}

/** The recorded ones, one an hour, and what comes of them. */
async function replay(): Promise<void> {
  const { tally } = world;
  const secret = 'a secret that both sides know';
  const deliveries = recorded();
  const { url, server } = await listen(wrkr, secret, 0);
  for (const delivery of deliveries) {
    tally.count(`HTTP ${await send(delivery, url, secret)}`);
    await anHour();
  }
  tally.count(`forged, HTTP ${await send({ kind: 'ping', body: '{}' }, url, 'a wrong guess')}`);
  server.close();
  await aFortnight();

  const { items: letters } = await wrkr.deadLetters({ queue: 'billing' });
  tell('billing', `the bug is mended; ${letters.length} dead letters are sent back`);
  mend();
  const redriven = await wrkr.redrive({ queue: 'billing' });
  await aMoment();
  const left = await wrkr.stats('billing');
  await wrkr.stop();

  const opened = deliveries.filter(({ kind, body }) => kind === 'issues' && JSON.parse(body).action === 'opened').length;
  const of = (what: string): number => tally.of(what);
  tally.expect('deliveries sent = taken with 202', deliveries.length, of('HTTP 202'));
  tally.expect('forged deliveries = refused with 401', 1, of('forged, HTTP 401'));
  tally.expect('deliveries taken = audited', of('HTTP 202'), of('audited'));
  tally.expect('issues opened = reminders planned', opened, of('reminders planned'));
  tally.expect('reminders planned = cancelled + sent', of('reminders planned'), of('reminders cancelled') + of('reminders sent'));
  tally.expect('chat attempts = 3 for each message', of('chat attempts'), 3 * of('chat messages'));
  tally.expect('dead letters = redriven', letters.length, redriven);
  tally.expect('redriven = billed', redriven, of('sponsorships billed'));
  tally.expect('left among the dead letters = none', left.dead ?? 0, 0);
  console.log(`\n${tally}\n\n${tally.addsUp ? 'It all adds up.' : 'It does not add up!'}`);
  if (!tally.addsUp) process.exitCode = 1;
}
