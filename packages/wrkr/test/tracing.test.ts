import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const PROGRAM = `
  import { MemoryBackend } from '@wrkr/memory';
  import { Wrkr } from 'wrkr';
  const wrkr = new Wrkr({ backend: new MemoryBackend(), name: 'shop' });
  await wrkr.subscribe('mail', 'user.added', (event, ack) => ack.dead('no address'));
  await wrkr.start();
  await wrkr.publish({ name: 'user.added', id: 'u1' });
  await wrkr.publish({ name: 'user.asked', id: 'u2', when: new Date('2999-01-01T00:00:00Z') });
  setImmediate(() => wrkr.stop());
`;

async function shown(DEBUG: string): Promise<readonly string[]> {
  const env = { ...process.env, DEBUG, DEBUG_COLORS: 'no' };
  const run = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PROGRAM], { cwd: root, env });
  return run.stderr
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\S+Z /, ''));
}

it('DEBUG=wrkr:* follows an event through the bus', async () => {
  expect(await shown('wrkr:*')).toEqual([
    'wrkr:bus shop is starting',
    'wrkr:bus shop is up',
    'wrkr:publish user.added u1, due now',
    'wrkr:handle user.added u1 in mail, attempt 1',
    expect.stringMatching(/^wrkr:settle user\.added u1 in mail: to mail\.dead, due 2\d{3}-\d\d-\d\dT/),
    'wrkr:publish user.asked u2, due 2999-01-01T00:00:00.000Z',
    'wrkr:bus shop is stopping',
    'wrkr:bus shop is closed',
  ]);
});

it('a part of it is chosen by its name', async () => {
  expect(await shown('wrkr:handle')).toEqual(['wrkr:handle user.added u1 in mail, attempt 1']);
});
