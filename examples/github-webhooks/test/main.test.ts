import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { recorded, send } from '../src/deliveries.ts';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

function run(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function result(child: ChildProcess): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout as never),
    text(child.stderr as never),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

describe('the recorded deliveries', () => {
  it('are 329 of 58 kinds, always in the same order', () => {
    const deliveries = recorded();
    expect(deliveries).toHaveLength(329);
    expect(new Set(deliveries.map(({ kind }) => kind)).size).toBe(58);
    expect(recorded()[0]).toEqual(deliveries[0]);
  });

  it('are all published and handled, in virtual time, and the counts add up', async () => {
    const began = performance.now();
    const { code, stdout, stderr } = await result(run([]));
    expect([code, stderr]).toEqual([0, '']);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(stdout).toContain('ok   deliveries sent = taken with 202: 329 = 329');
    expect(stdout).toContain('ok   forged deliveries = refused with 401: 1 = 1');
    expect(stdout).toContain('has had no answer for 7 days');
    expect(stdout).toContain('was answered (github.issue_comment.created): no reminder');
    expect(stdout).toMatch(/chat +github.discussion.created: attempt 2 failed/);
    expect(stdout).toMatch(/billing +github.sponsorship.created: given up after 3 attempts/);
    expect(stdout).toContain('It all adds up.');
    expect(stdout).not.toContain('BAD');
  });

  it('and in real time too, with seconds for days', { timeout: 40_000 }, async () => {
    const { code, stdout, stderr } = await result(run(['--real-time']));
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('It all adds up.');
  });
});

describe('live', () => {
  it('takes real webhooks and ends in order when it is asked to', async () => {
    const child = run(['--live', '--port', '0'], { WEBHOOK_SECRET: 's3cret' });
    const lines = result(child);
    const [first] = (await once(child.stdout as never, 'data')) as [Buffer];
    const url = /http:\S+\//.exec(first.toString())?.[0] ?? '';
    const opened = { action: 'opened', issue: { number: 7 }, repository: { full_name: 'me/mine' } };
    const delivery = { kind: 'issues', body: JSON.stringify(opened) };
    expect(await send(delivery, url, 's3cret')).toBe(202);
    expect(await send(delivery, url, 'wrong')).toBe(401);
    expect(await send({ kind: 'issues', body: 'no json' }, url, 's3cret')).toBe(400);
    child.kill('SIGTERM');
    const { code, stdout } = await lines;
    expect(code).toBe(0);
    expect(stdout).toContain('me/mine#7 was opened: reminder planned');
  });

  it.each([
    { args: ['--live'], says: 'Set WEBHOOK_SECRET' },
    { args: ['--live', '--port', 'abc'], says: '--port abc is no port' },
    { args: ['--liv'], says: "Unknown option '--liv'" },
  ])('says what is missing: $args', async ({ args, says }) => {
    const { code, stderr } = await result(run(args, { WEBHOOK_SECRET: '' }));
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(stderr).toContain('Usage: npm start');
  });
});
