// The suite as a file of node:test: `node --test with-node-test.js`.
import { describe, it } from 'node:test';
import { conformance } from '@wrkr/conformance';
import { harnessOf } from './broken-backends.js';

const { crash: _, ...harness } = harnessOf(() => {});

conformance({ describe, it }, 'memory', harness);
