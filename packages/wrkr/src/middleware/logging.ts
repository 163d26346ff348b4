import type { Timer } from '../contract/contract.ts';
import { SystemClock } from '../time/clock.ts';
import type { HandleMiddleware } from './middleware.ts';

/**
 * A line when each handler has ended, at `debug`, with how many milliseconds it took and, if it failed, with what: for
 * `middleware.handle`.
 */
export function logging({ now }: Timer = new SystemClock().real): HandleMiddleware {
  return async (event, _ack, { log }, next) => {
    const began = now();
    const ms = (): number => Math.round(now() - began);
    try {
      await next();
      log.debug(`handled '${event.name}'`, { ms: ms() });
    } catch (error) {
      log.debug(`failed to handle '${event.name}'`, { ms: ms(), error });
      throw error;
    }
  };
}
