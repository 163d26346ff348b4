import { expect, it } from 'vitest';
import { backendError } from 'wrkr/backend';
import { expectDone, expectFailed, expectIds, expectResolves, expectSame } from '../src/expect.ts';

const many = Array.from({ length: 30 }, (_, i) => `e${i}`);
const failure = { index: 1, error: backendError('stale', 'the lease has ended') };

it('names five at most of what is missing and of what should not be there', () => {
  expect(() => expectIds(['x', 'e0'], many, 'deliveries')).toThrow(
    'deliveries: missing are e1, e2, e3, e4, e5 and 24 more; not expected were x',
  );
  expect(() => expectIds(['a', 'a'], ['a'], 'deliveries')).toThrow('missing are nothing; not expected were a');
  expectIds(['b', 'a', 'a'], ['a', 'b', 'a'], 'deliveries');
});

it('tells of failures by index, code and message, without stacks', () => {
  expect(() => expectDone([failure], 'the ack')).toThrow('the ack failed, and it is in order: [1,"stale","the lease has ended"]');
  expect(() => expectFailed([failure], { 0: 'stale' }, 'the ack')).toThrow('the ack should have failed as {"0":"stale"}: [1,');
  expectFailed([failure], { 1: 'stale' }, 'the ack');
});

it('says what was and what should have been', async () => {
  expect(() => expectSame({ count: 1 }, { count: 2 }, 'the figures')).toThrow(
    'the figures: there was {"count":1}, and there should be {"count":2}',
  );
  await expect(expectResolves(Promise.reject(failure.error), 'close()')).rejects.toThrow(
    /^close\(\) should resolve, and it rejected/,
  );
});
