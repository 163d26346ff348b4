import { conformance } from '@wrkr/conformance';
import { afterAll, describe, it } from 'vitest';
import { harness } from './harness.js';

conformance({ describe, it, after: afterAll }, 'memory', harness);
