import { conformance } from '@wrkr/conformance';
import { describe, it } from 'vitest';
import { harness } from './harness.js';

conformance({ describe, it }, 'memory', harness);
