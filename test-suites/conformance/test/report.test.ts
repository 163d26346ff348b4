import { Broker, MemoryBackend } from '@wrkr/memory';
import { describe, expect, it } from 'vitest';
import type { Capabilities } from 'wrkr/backend';
import { type CaseResult, type Harness, report, summary } from '../src/index.ts';
import { acksNothing, forgetsAQueue, harnessOf, sendsEarly } from './broken-backends.js';

const whole = harnessOf(() => {});
const claiming = (capabilities: Partial<Capabilities>): Harness => ({
  create: () => new MemoryBackend({ broker: new Broker(), capabilities }),
});

async function resultOf(harness: Harness, id: string): Promise<CaseResult | undefined> {
  const { results } = await report('one', harness, { only: id });
  return results.find((result) => result.id === id);
}

describe('a case', () => {
  it('passes where the promise is kept', async () => {
    expect(await resultOf(whole, 'delay.not-before-due-then-due')).toMatchObject({ status: 'passed' });
  });

  it.each([
    { broken: 'sends what is delayed at once', harness: sendsEarly, id: 'delay.not-before-due-then-due' },
    { broken: 'acks nothing', harness: acksNothing, id: 'ack.gone-for-good' },
    { broken: 'forgets all but one queue', harness: forgetsAQueue, id: 'fanout.each-queue-gets-one-copy' },
  ])('fails, and says why, on a backend that $broken', async ({ harness, id }) => {
    const result = await resultOf(harness, id);
    expect(result).toMatchObject({ id, status: 'failed' });
    expect(result?.reason).toMatch(/\w+ \w+/);
  });

  it('does not apply where the backend does not claim it', async () => {
    expect(await resultOf(claiming({ delay: false }), 'delay.not-before-due-then-due')).toMatchObject({
      status: 'not applicable',
      reason: 'needs delay',
    });
  });

  it('was not run where the harness lacks the means, which is no pass', async () => {
    const { crash: _, ...bare } = whole;
    const ran = await report('bare', bare, { only: 'crash.' });
    const missing = ran.results.filter(({ status }) => status === 'not run');
    expect(missing.length).toBeGreaterThan(0);
    expect(missing[0]?.reason).toBe('the harness has no crash');
    expect(summary(ran)).toContain(`${missing.length} not run`);
  });
});

describe('a known failure', () => {
  const id = 'ack.gone-for-good';
  const knowing = (harness: Harness): Harness => ({ ...harness, knownFailures: { [id]: 'acks are lost' } });

  it('is run, and is none of the failures', async () => {
    const ran = await report('one', knowing(acksNothing), { only: id });
    expect(ran.results).toMatchObject([{ id, status: 'known failure', reason: expect.stringContaining('acks are lost') }]);
    expect(summary(ran)).toBe('0 passed, 0 failed, 0 not applicable, 0 not run, 1 known to fail');
  });

  it('that passes fails the run', async () => {
    expect(await resultOf(knowing(whole), id)).toMatchObject({ status: 'failed', reason: expect.stringContaining('it passes') });
  });

  it('must be the id of a case', async () => {
    const harness = { ...whole, knownFailures: { 'ack.gone': 'no such case' } };
    await expect(report('one', harness)).rejects.toThrow("there is no case 'ack.gone'");
  });
});

describe('a report', () => {
  it('is the same, run side by side', async () => {
    const [alone, beside] = [await report('alone', whole), await report('beside', whole, { sideBySide: 8 })];
    expect(summary(beside)).toBe(summary(alone));
    expect(beside.results.map(({ id }) => id)).toEqual(alone.results.map(({ id }) => id));
  });

  it('waits for backends that take a while to make, and ends the harness once', async () => {
    let ends = 0;
    const end = async (): Promise<void> => void ends++;
    const ran = await report('slow', { ...whole, create: async (options) => whole.create(options), end }, { only: 'ack.' });
    expect(ran.results.map(({ status }) => status)).toEqual(ran.results.map(() => 'passed'));
    expect(ends).toBe(1);
  });
});
