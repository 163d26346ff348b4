import { describe, expect, it } from 'vitest';
import { mutants } from '../mutants/mutants.ts';
import { falseAlarms, tryAll, tryMutant } from '../mutants/try.ts';

describe('the suite', () => {
  it('catches every broken backend by the case that is named for it', { timeout: 60_000 }, async () => {
    expect(await falseAlarms(mutants)).toEqual([]);
    const survivors = (await tryAll(mutants)).filter(({ caught }) => !caught);
    expect(survivors.map(({ mutant, why }) => `${mutant.caughtBy}, it ${mutant.breaks}: ${why}`)).toEqual([]);
  });
});

describe('a mutant', () => {
  it('survives where nothing is broken, or the case is not there, or it breaks the case', async () => {
    const whole = { breaks: 'breaks nothing', caughtBy: 'ack.gone-for-good', breakIt: () => {} };
    expect(await tryMutant(whole)).toMatchObject({ caught: false, why: 'the case passed' });
    expect(await tryMutant({ ...whole, caughtBy: 'ack.gone' })).toMatchObject({ caught: false, why: 'there is no such case' });
    const crash = {
      ...whole,
      breakIt: (backend: object) => Object.assign(backend, { bind: () => Promise.reject(new TypeError('x')) }),
    };
    expect(await tryMutant(crash)).toMatchObject({ caught: false, why: 'the case broke: TypeError: x' });
  });
});
