import type { BackendError, BackendErrorCode } from './contract.ts';

export function backendError(
  code: BackendErrorCode,
  message: string,
  options: { applied?: 'no' | 'maybe'; cause?: unknown } = {},
): BackendError {
  const error = options.cause === undefined ? new Error(message) : new Error(message, { cause: options.cause });
  return Object.assign(error, { name: 'BackendError' as const, code, applied: options.applied ?? ('no' as const) });
}

export function isBackendError(error: unknown): error is BackendError {
  return error instanceof Error && error.name === 'BackendError' && 'code' in error;
}
