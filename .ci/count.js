// Adds up vitest's JSON reports in a folder: names each test that was not run, then prints the count as its last line.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = process.argv[2] ?? '.';
const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];
const counts = { passed: 0, failed: 0, skipped: 0 };

console.log('\n== What was not run');
for (const file of files) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  counts.passed += report.numPassedTests;
  // A file that could not even be loaded has no tests to count, and is a failure all the same.
  const unloadable = report.testResults.filter((one) => one.status === 'failed' && one.assertionResults.length === 0).length;
  counts.failed += report.numFailedTests + unloadable;
  counts.skipped += report.numPendingTests + report.numTodoTests;
  for (const { assertionResults } of report.testResults) {
    for (const { status, fullName, meta } of assertionResults) {
      if (status === 'passed' || status === 'failed') continue;
      console.log(`NOT RUN on ${basename(file, '.json')}: ${fullName} (${meta?.reason ?? 'no reason given'})`);
    }
  }
}
if (counts.skipped === 0) console.log('nothing');
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || files.length === 0 ? 1 : 0;
