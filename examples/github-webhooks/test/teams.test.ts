import { MemoryBackend } from '@wrkr/memory';
import { recorder, VirtualClock } from '@wrkr/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Wrkr } from 'wrkr';
import { eventOf } from '../src/endpoint.ts';
import { Tally } from '../src/tally.ts';
import { triage } from '../src/teams.ts';

const issue = (kind: string, action: string, number: number) =>
  eventOf(kind, `${kind}-${action}-${number}`, { action, issue: { number }, repository: { full_name: 'me/mine' } });

async function triaging() {
  const clock = new VirtualClock();
  const wrkr = new Wrkr({ backend: new MemoryBackend(), clock });
  const tally = new Tally();
  const record = recorder(wrkr);
  await triage({ wrkr, tally, patience: '7 days', minute: 60_000, tell: () => {} });
  await wrkr.start();
  onTestFinished(() => wrkr.stop());
  return { wrkr, clock, tally, record };
}

describe('triage', () => {
  it('is reminded of an issue that nobody has answered for seven days', async () => {
    const { wrkr, clock, tally, record } = await triaging();
    await wrkr.publish(issue('issues', 'opened', 7));
    await clock.settle();
    record.expectPublished('triage.reminder', { tid: 'me/mine#7', when: '7 days' });
    await clock.advance('6 days');
    expect(tally.of('reminders sent')).toBe(0);
    await clock.advance('1 day');
    expect(tally.of('reminders sent')).toBe(1);
  });

  it.each([
    ['issues', 'closed'],
    ['issue_comment', 'created'],
  ])('is not reminded of one after %s %s, and still is of the others', async (kind, action) => {
    const { wrkr, clock, tally } = await triaging();
    await wrkr.publish([issue('issues', 'opened', 7), issue('issues', 'opened', 8)]);
    await clock.advance('3 days');
    await wrkr.publish(issue(kind, action, 7));
    await clock.advance('1 month');
    expect([tally.of('reminders cancelled'), tally.of('reminders sent')]).toEqual([1, 1]);
  });
});

describe('the event of a delivery', () => {
  it('is named by kind and action, and is about a number in a repository, or what there is', () => {
    expect(issue('issues', 'opened', 7)).toMatchObject({ name: 'github.issues.opened', tid: 'me/mine#7', id: 'issues-opened-7' });
    expect(eventOf('push', 'x', { repository: { full_name: 'me/mine' } })).toMatchObject({ name: 'github.push', tid: 'me/mine' });
    expect(eventOf('membership', 'x', { action: 'added', organization: { login: 'us' } })).toMatchObject({ tid: 'us' });
    expect(eventOf('security_advisory', 'x', { action: 'published' })).toMatchObject({ tid: 'github' });
  });
});
