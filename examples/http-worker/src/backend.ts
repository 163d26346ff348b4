import { MemoryBackend } from '@wrkr/memory';
import type { Backend } from 'wrkr/backend';

/** Where the work is queued. This is the line to change. */
const BACKEND = process.env.WRKR_URL ?? 'memory:';

export function backend(): Backend {
  const { protocol } = new URL(BACKEND);
  if (protocol === 'memory:') return new MemoryBackend();
  throw new Error(`There is no backend for ${BACKEND} yet: use memory:`);
}
