import type { Catalogue } from '../publish/catalogue.ts';
import type { HandleMiddleware } from './middleware.ts';

/** Hands over what the validators make of a payload. What they refuse is a failed attempt: another deployment may know better. */
export function validating(catalogue: Catalogue): HandleMiddleware {
  return async (event, _ack, _context, next) => next({ ...event, payload: await catalogue.validate(event.name, event.payload) });
}
