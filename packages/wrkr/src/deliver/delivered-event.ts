import type { Delivery, Headers, Ms } from '../contract/contract.ts';
import { ATTEMPT, CORRELATION, numberIn, PARENT, TTL, TYPE, userHeaders, WHEN } from '../headers.ts';
import { decode } from '../publish/codec.ts';

/** What a handler gets: plain data, a copy of its own for each attempt. */
export interface DeliveredEvent<Name extends string = string, Payload = unknown> {
  readonly id: string;
  readonly name: Name;
  readonly tid: string | undefined;
  readonly payload: Payload;
  readonly queue: string;
  /** From 1. */
  readonly attempt: number;
  readonly publishedAt: Date;
  /** When the publisher wanted it; retries do not change it. */
  readonly when: Date;
  /** The event whose handler published this one as its follow-up. */
  readonly parentId: string | undefined;
  /** The id of the first event in the chain of follow-ups; its own, if it is the first. */
  readonly correlationId: string;
  readonly headers: Headers;
}

/** Throws `WRKR_UNREADABLE`. */
export function eventOf(delivery: Delivery): DeliveredEvent {
  const { id, name, tid, queue, sentAt, headers, body } = delivery;
  const publishedAt = new Date(sentAt);
  const when = numberIn(headers, WHEN, undefined);
  return {
    id,
    name,
    tid,
    payload: decode(body, headers[TYPE]),
    queue,
    attempt: attemptOf(headers),
    publishedAt,
    when: when === undefined ? publishedAt : new Date(when),
    parentId: headers[PARENT],
    correlationId: headers[CORRELATION] ?? id,
    headers: userHeaders(headers),
  };
}

/** Due longer ago than its publisher found worth handling. What a handler has begun does not expire: see {@link TTL}. */
export function isExpired({ handouts, headers, sentAt }: Delivery, now: Ms): boolean {
  const ttl = numberIn(headers, TTL, undefined);
  return ttl !== undefined && handouts === 1 && now - numberIn(headers, WHEN, sentAt) > ttl;
}

/** The attempt that a delivery is. */
export function attemptOf(headers: Headers): number {
  return numberIn(headers, ATTEMPT, 1);
}
