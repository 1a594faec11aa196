import fc from 'fast-check';
import { describe, it } from 'vitest';
import { anyText, roundTrip } from './fuzz.test-support.ts';

// `npm run test:filter -- --runs 1000000` runs more of the same.
describe('the filter language', () => {
  it('reads what it prints as the same tree', () => {
    fc.assert(roundTrip, { numRuns: 2000 });
  });

  it('never throws or hangs, and says where what is wrong stands', () => {
    fc.assert(anyText, { numRuns: 20_000 });
  });
});
