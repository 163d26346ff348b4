import { WrkrError, type WrkrErrorCode } from '../errors.ts';
import { didYouMean } from './nearest.ts';

/** Refuses keys that nobody would read: a misspelled option must not be silently ignored. */
export function checkKeys(given: object, known: ReadonlySet<string>, code: WrkrErrorCode, what: string): void {
  for (const key in given) {
    if (!known.has(key)) {
      throw new WrkrError(
        code,
        `${what} has no '${key.slice(0, 80)}': it can have ${[...known].join(', ')}${didYouMean(key, known)}`,
      );
    }
  }
}
