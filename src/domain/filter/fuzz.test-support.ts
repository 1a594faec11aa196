import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { FILTER_FIELDS, unknownOf } from './fields.ts';
import { countTests, filters, noise } from './filter.test-support.ts';
import { MAX_FILTER, MAX_TESTS, parseFilter } from './parser.ts';
import { printFilter } from './print.ts';

const SCOPE = { of: 'live' } as const;

/** No text is worked on for longer, milliseconds: time of this process, for the machine may do other things. */
const LONGEST_MS = 250;

/** What a tree prints is read as the same tree, whatever is filtered. */
export const roundTrip = fc.property(
  fc.constantFrom('facts', 'connections', 'live').chain((of) => {
    const known = FILTER_FIELDS.filter((field) => unknownOf(field, of) === undefined);
    return fc.record({ of: fc.constant(of), tree: filters(known) });
  }),
  ({ of, tree }) => {
    const text = printFilter(tree);
    fc.pre(countTests(tree) <= MAX_TESTS && text.length <= MAX_FILTER);
    assert.deepEqual(parseFilter(text, { of }), { ok: true, filter: tree });
  },
);

/** Any text is read in time, as a filter that is printed and read as the same again, or with errors at places in it. */
export const anyText = fc.property(noise, (text) => {
  const begun = process.cpuUsage();
  const parsed = parseFilter(text, SCOPE);
  assert.ok(process.cpuUsage(begun).user < LONGEST_MS * 1000, 'reading takes too long');
  if (parsed.ok) {
    if (parsed.filter !== null) assert.deepEqual(parseFilter(printFilter(parsed.filter), SCOPE), parsed);
    return;
  }
  assert.ok(parsed.errors.length > 0);
  for (const { at, problem, hint } of parsed.errors) {
    assert.ok(at[0] >= 0 && at[1] >= at[0] && at[1] <= text.length, `${at} is no place in the text`);
    assert.ok(problem !== '' && hint !== '');
  }
});
