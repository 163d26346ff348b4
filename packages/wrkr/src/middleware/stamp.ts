import { isPlain } from '../checks/plain.ts';
import type { Headers } from '../contract/contract.ts';
import { checkHeaders } from '../headers.ts';
import type { PublishMiddleware } from './middleware.ts';

/** Puts these headers on every event, where it has none of that name itself: a tenant, a version, a trace. For `middleware.publish`. */
export function stamp(headers: Headers | (() => Headers)): PublishMiddleware {
  if (typeof headers !== 'function') checkHeaders(headers);
  return (event) => {
    if (event.headers !== undefined && !isPlain(event.headers)) return event; // refused when it is read
    return { ...event, headers: { ...(typeof headers === 'function' ? headers() : headers), ...event.headers } };
  };
}
