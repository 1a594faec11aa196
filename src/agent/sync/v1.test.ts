import { afterEach, beforeEach, expect, it } from 'vitest';
import { JournalBench } from '../journal/journal.test-support.ts';
import { nextV1 } from './v1.ts';

let b: JournalBench;
beforeEach(() => {
  b = new JournalBench();
});
afterEach(() => b.remove());

it('a record has the highest counters of what it acknowledges, also after the clock was set back', () => {
  b.shows(0, [0, 0], { a: [0, 0] });
  b.shows(600, [0, 0], { a: [0, 0] }).shows(601, [50, 5], { a: [50, 5] });
  // Back by nine minutes: a lower minute with higher counters.
  b.shows(60, [80, 0], { a: [80, 5] });
  const { records, samples } = nextV1(b.journal, 'fallback', 100);
  expect(records).toMatchObject([{ id: 'a', download: 80, upload: 5 }]);
  expect(samples).toHaveLength(3);
});
