import { afterEach, beforeEach } from 'vitest';

/*
 * Stryker calls it static, and tries it with every test there is, what is run while no test is: also what is run when a test is
 * tidied up, such as stopping its bus. So that this counts for the test, its name is left in place until the next one begins.
 */
const stryker: { currentTestId?: string } = Reflect.get(globalThis, '__stryker__') ?? {};
let current: string | undefined;

beforeEach(() => {
  current = stryker.currentTestId;
});

afterEach(() => {
  if (current !== undefined) stryker.currentTestId = current;
});
