// Reads made-up filters: `npm run test:filter -- --runs 1000000`, half of them trees that are printed and read again,
// half of them texts of any kind. A failure prints its seed; `--seed N` repeats it.
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { anyText, roundTrip } from '../../src/domain/filter/fuzz.test-support.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '100000' }, seed: { type: 'string' } },
});
const runs = Number(values.runs);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(runs) || runs < 2 || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run test:filter -- [--runs N] [--seed N]');
  process.exit(2);
}

console.log(`${runs} filters, seed ${seed}`);
let failed = 0;
for (const [name, property] of [
  ['what is printed is read as the same tree', roundTrip],
  ['no text throws or hangs', anyText],
] as const) {
  const begun = performance.now();
  const result = fc.check(property as fc.IProperty<unknown>, { numRuns: Math.ceil(runs / 2), seed });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`${result.failed ? 'FAILED' : 'ok'}  ${name}: ${result.numRuns} in ${seconds} s`);
  if (!result.failed) continue;
  failed++;
  console.log(fc.defaultReportMessage(result));
}
console.log(`${2 - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
