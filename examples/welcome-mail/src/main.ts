import { MemoryBackend } from '@wrkr/memory';
import { VirtualClock } from '@wrkr/testing';
import { Wrkr } from 'wrkr';

interface Events {
  'ourapp.user.added': { plan: 'free' | 'pro' };
  'ourapp.cst.user.welcome.followup': undefined;
}

const clock = new VirtualClock({ start: new Date('2030-01-01T09:00:00Z') }); // a real program has none
const wrkr = new Wrkr<Events>({ backend: new MemoryBackend(), clock });

const say = (line: string): void => console.log(`${new Date(clock.now()).toISOString().slice(0, 16)}  ${line}`);
const sendMail = async (userId: string | undefined, subject: string): Promise<void> => say(`mail to ${userId}: ${subject}`);

// The customer satisfaction team welcomes everybody who signs up, and asks a week later how it went.
await wrkr.subscribe('ourApp.customerSatisfactionTeam', 'ourapp.user.added', async (event, ack, context) => {
  await sendMail(event.tid, `Welcome to the ${event.payload.plan} plan!`);
  await context.followUp({ name: 'ourapp.cst.user.welcome.followup', tid: event.tid, when: '7 days' });
  return ack();
});
await wrkr.subscribe('ourApp.customerSatisfactionTeam', 'ourapp.cst.user.welcome.followup', (event) =>
  sendMail(event.tid, 'How was your first week?'),
);
await wrkr.start();

await wrkr.publish({ name: 'ourapp.user.added', tid: 'ada', payload: { plan: 'pro' } });
await clock.advance('3 days');
await wrkr.publish({ name: 'ourapp.user.added', tid: 'bob', payload: { plan: 'free' } });
await clock.settle();
await wrkr.cancel({ name: 'ourapp.cst.user.welcome.followup', tid: 'bob' }); // he wants no more mail
await clock.advance('7 days');

await wrkr.stop();
say('done');
