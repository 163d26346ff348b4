import type { Event, Receipt, Wrkr } from 'wrkr';
import type { Tally } from './tally.ts';

export interface World {
  readonly wrkr: Wrkr;
  readonly tally: Tally;
  /** How long nobody may have answered an issue until the team is reminded of it. */
  readonly patience: string;
  /** What is taken for a minute when something is tried again, in milliseconds. */
  readonly minute: number;
  /** One line of the timeline. */
  readonly tell: (queue: string, what: string) => void;
}

/** Keeps a record of everything. */
export async function audit({ wrkr, tally, tell }: World): Promise<void> {
  await wrkr.subscribe('audit', 'github.#', () => {
    tally.count('audited');
    if (tally.of('audited') % 50 === 0) tell('audit', `${tally.of('audited')} events on record`);
  });
}

/** Sees to it that every issue is answered: plans a reminder when it is opened, and takes it back when somebody has reacted. */
export async function triage({ wrkr, tally, tell, patience }: World): Promise<void> {
  const planned = new Map<string, Receipt[]>();
  const answered = async (event: Event): Promise<void> => {
    for (const receipt of planned.get(event.tid ?? '') ?? []) {
      const cancelled = (await wrkr.cancel(receipt)) ?? 0;
      tally.count('reminders cancelled', cancelled);
      if (cancelled > 0) tell('triage', `${event.tid} was answered (${event.name}): no reminder`);
    }
    planned.delete(event.tid ?? '');
  };
  await wrkr.subscribe('triage', 'github.issues.*', async (event, _ack, { followUp }) => {
    tally.count('triaged');
    if (event.name === 'github.issues.closed') await answered(event);
    if (event.name !== 'github.issues.opened') return;
    const receipt = await followUp({ name: 'triage.reminder', tid: event.tid, when: patience });
    planned.set(event.tid ?? '', [...(planned.get(event.tid ?? '') ?? []), receipt]);
    tally.count('reminders planned');
    tell('triage', `${event.tid} was opened: reminder planned for ${receipt.when.toISOString().slice(0, 16)}`);
  });
  await wrkr.subscribe('triage', 'github.issue_comment.created', answered);
  await wrkr.subscribe('triage', 'triage.reminder', (event) => {
    tally.count('reminders sent');
    tell('triage', `${event.tid} has had no answer for ${patience}`);
  });
}

/** Announces releases. */
export async function releases({ wrkr, tally, tell }: World): Promise<void> {
  await wrkr.subscribe('releases', 'github.release.*', (event) => {
    const { action, release } = event.payload as { action: string; release: { tag_name: string } };
    tally.count('releases');
    if (action === 'published') tell('releases', `${event.tid} ${release.tag_name} is out`);
  });
}

/** Talks to a chat that is down the first two times. */
export async function chat({ wrkr, tally, tell, minute }: World): Promise<void> {
  const retry = { backoff: (attempt: number) => attempt * minute };
  const handler = (event: Event): void => {
    tally.count('chat attempts');
    if (event.attempt <= 2) throw new Error('503 from the chat');
    tally.count('chat messages');
    tell('chat', `"a new discussion in ${event.tid}", sent on attempt ${event.attempt}`);
  };
  await wrkr.subscribe('chat', 'github.discussion.created', handler, { retry });
}

/** Has a bug, until it is mended. */
export async function billing({ wrkr, tally, tell, minute }: World): Promise<{ mend(): void }> {
  let mended = false;
  const retry = { attempts: 3, backoff: () => minute / 6 };
  const handler = (event: Event): void => {
    if (!mended) throw new TypeError("Cannot read properties of undefined (reading 'price')");
    tally.count('sponsorships billed');
    tell('billing', `${event.name} of ${event.tid} is in the books`);
  };
  await wrkr.subscribe('billing', 'github.sponsorship.*', handler, { retry });
  return {
    mend: () => {
      mended = true;
    },
  };
}
