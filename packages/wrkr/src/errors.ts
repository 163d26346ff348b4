import { isBackendError } from './contract/backend-error.ts';
import type { BackendError, BackendErrorCode } from './contract/contract.ts';
import type { Receipt } from './publish/event-input.ts';

/** What can go wrong. The code is the interface, the message is for people. Each code is explained in the README. */
export type WrkrErrorCode =
  | 'WRKR_INVALID_OPTION'
  | 'WRKR_INVALID_NAME'
  | 'WRKR_INVALID_EVENT'
  | 'WRKR_INVALID_WHEN'
  | 'WRKR_INVALID_PAYLOAD'
  | 'WRKR_INVALID_FILTER'
  | 'WRKR_INVALID_CALL'
  | 'WRKR_TOO_LARGE'
  | 'WRKR_NOT_STARTED'
  | 'WRKR_CLOSED'
  | 'WRKR_UNSUPPORTED'
  | 'WRKR_UNAVAILABLE'
  | 'WRKR_BACKEND'
  | 'WRKR_PUBLISH_PARTIAL'
  | 'WRKR_STALE'
  | 'WRKR_LEASE_LOST'
  | 'WRKR_TIMEOUT'
  | 'WRKR_SHUTDOWN'
  | 'WRKR_UNREADABLE'
  | 'WRKR_NO_HANDLER'
  | 'WRKR_CRASHED';

export interface WrkrErrorDetails {
  readonly cause?: unknown;
  readonly applied?: 'no' | 'maybe';
  readonly results?: readonly (Receipt | WrkrError)[];
}

/** The one error class. Test `error.code`, not `instanceof`: a program can contain two copies of this package. */
export class WrkrError extends Error {
  override readonly name = 'WrkrError';
  readonly code: WrkrErrorCode;
  /** Of a publish: `no` = nothing was stored, `maybe` = unknown; publish again with the same id. */
  readonly applied?: 'no' | 'maybe';
  /** Of `WRKR_PUBLISH_PARTIAL`: for each event, in order, its receipt or its error. */
  readonly results?: readonly (Receipt | WrkrError)[];

  constructor(code: WrkrErrorCode, message: string, details: WrkrErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.applied) this.applied = details.applied;
    if (details.results) this.results = details.results;
  }
}

const CODES: Record<BackendErrorCode, WrkrErrorCode> = {
  unavailable: 'WRKR_UNAVAILABLE',
  timeout: 'WRKR_UNAVAILABLE',
  closed: 'WRKR_CLOSED',
  stale: 'WRKR_STALE',
  invalid: 'WRKR_BACKEND',
  too_large: 'WRKR_TOO_LARGE',
  unsupported: 'WRKR_UNSUPPORTED',
  internal: 'WRKR_BACKEND',
};

/** What a backend said, as the user sees it: `what` could not be done, and why. */
export function fromBackend(error: unknown, what: string, applied?: 'no' | 'maybe'): WrkrError {
  const details = { cause: error, ...(applied && { applied }) };
  if (error instanceof WrkrError) return new WrkrError(error.code, `${what}: ${error.message}`, details);
  if (!isBackendError(error)) return new WrkrError('WRKR_BACKEND', `${what}: ${messageOf(error)}`, details);
  return new WrkrError(CODES[error.code] ?? 'WRKR_BACKEND', `${what}: ${error.message}`, details);
}

/** Worth repeating: nothing is wrong with the call. */
export function isPassing(error: BackendError | undefined): boolean {
  return error?.code === 'unavailable' || error?.code === 'timeout';
}

/** A rejection of any kind as a {@link BackendError}: what a backend should have thrown. */
export function asBackendError(error: unknown): BackendError {
  if (isBackendError(error)) return error;
  const message = messageOf(error);
  return Object.assign(new Error(message, { cause: error }), {
    name: 'BackendError' as const,
    code: 'internal' as const,
    applied: 'maybe' as const,
  });
}

export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'an error that cannot be shown';
  }
}
