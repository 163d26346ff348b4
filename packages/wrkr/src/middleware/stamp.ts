import type { Headers } from '../contract/contract.ts';
import type { PublishMiddleware } from './middleware.ts';

/** Puts these headers on every event, where it has none of that name itself: a tenant, a version, a trace. For `middleware.publish`. */
export function stamp(headers: Headers | (() => Headers)): PublishMiddleware {
  return (event) => ({ ...event, headers: { ...(typeof headers === 'function' ? headers() : headers), ...event.headers } });
}
