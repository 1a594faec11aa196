import { parseAskedTime } from '../../domain/asked-time.ts';
import { parseFilter } from '../../domain/filter/parser.ts';
import { checkRange } from '../../master/http/asked-range.ts';
import { canonicalZone } from '../../master/http/time-zone.ts';
import { parseInterval } from '../../master/query/interval.ts';
import type { RangeWord } from '../../master/query/range-words.ts';
import { localZone, periodOf } from '../answers/bounds.ts';
import { placesIn } from '../answers/filter-places.ts';
import type { OptionName } from './options.ts';
import type { Problem } from './problems.ts';
import type { Findings, Settled } from './rules.ts';
import { urlRules } from './url-rules.ts';

/** What a body says itself, so that options for the same would be ignored. */
const SAID_BY_BODY = [
  ...(['by', 'metrics', 'interval', 'limit', 'top-by', 'top-mode', 'range', 'from', 'to', 'tz'] as const),
  ...(['filter', 'agent', 'compare', 'overlay'] as const),
];

/**
 * What is wrong with a question before anybody is asked: its texts are read by the same code that reads them at the
 * master, which alone knows the agents. Loaded for questions only; agents have no use for it.
 */
export function questionRules(settled: Settled): Findings {
  const { command, values, given } = settled;
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const text = (name: OptionName) => (given.has(name) ? (values.get(name) as string | undefined) : undefined);
  const isGiven = (name: OptionName) => given.has(name) && values.get(name) !== false;
  const wrong = (name: OptionName, problem: string, valid: string) => {
    problems.push({ flag: `--${name}`, given: text(name) ?? '', problem, valid });
  };
  const clash = (name: OptionName, other: OptionName, valid = 'one of the two') => {
    problems.push({ flag: `--${name}`, given: '', problem: `is given besides --${other}`, valid });
  };

  if (isGiven('json') && isGiven('csv')) clash('json', 'csv');
  if (isGiven('body')) {
    for (const name of SAID_BY_BODY) if (isGiven(name)) clash(name, 'body', 'say it in the body');
  }
  checkTexts(text, wrong, problems);
  const agents = values.get('agent');
  if (command === 'verify' && Array.isArray(agents) && agents.length > 1) {
    problems.push({
      flag: '--agent',
      given: agents.join(','),
      problem: 'names several agents',
      valid: 'one; or none for all',
    });
  }

  const asked = urlRules(settled);
  problems.push(...asked.problems);
  warnings.push(...asked.warnings);
  if (isGiven('database') && isGiven('url')) {
    warnings.push('--database has no effect: the master at --url is asked');
  }
  return { problems, warnings };
}

type Text = (name: OptionName) => string | undefined;
type Wrong = (name: OptionName, problem: string, valid: string) => void;

function checkTexts(text: Text, wrong: Wrong, problems: Problem[]): void {
  const before = problems.length;
  const [tz, interval, filter, compare] = [text('tz'), text('interval'), text('filter'), text('compare')];
  if (tz !== undefined && canonicalZone(tz) === null)
    wrong('tz', 'is no time zone', 'an IANA name, such as Europe/Berlin or Asia/Shanghai');
  for (const name of ['from', 'to'] as const) {
    const time = parseAskedTime(text(name) ?? '1970-01-01');
    if ('problem' in time) wrong(name, time.problem, '');
  }
  if (problems.length === before) checkTogether(text, wrong);
  if (interval !== undefined && interval !== 'auto' && parseInterval(interval) === null) {
    wrong(
      'interval',
      'is no width of a point',
      'auto, minute, hour, day, week, month, or a multiple such as 5m, 6h; parts of a day must divide it',
    );
  }
  if (compare !== undefined && compare !== 'previous') checkPeriod(compare, tz, wrong);
  if (filter !== undefined) {
    const parsed = parseFilter(filter, { of: 'facts' });
    if (!parsed.ok) {
      const shown = placesIn(filter, parsed.errors);
      problems.push({ flag: '--filter', given: '', problem: '', valid: '', shown });
    }
  }
}

/** Bounds that are right by themselves. */
function checkTogether(text: Text, wrong: Wrong): void {
  const bounds = boundsIn(text('from'), text('to'), text('tz'));
  const range = text('range') as RangeWord | undefined;
  for (const { field, problem } of checkRange({ ...bounds, ...(range !== undefined && { range }) })) {
    wrong(field as 'range' | 'to', problem.replace(/"(from|to)"/g, '--$1'), '');
  }
}

function checkPeriod(compare: string, tz: string | undefined, wrong: Wrong): void {
  const valid = 'previous, or two times such as 2026-10-01/2026-11-01';
  const period = periodOf(compare);
  if (period === null) {
    wrong('compare', 'is no period', valid);
    return;
  }
  const unread = [period.from, period.to].map(parseAskedTime).find((time) => 'problem' in time);
  if (unread !== undefined && 'problem' in unread) wrong('compare', unread.problem, valid);
  else if (checkRange(boundsIn(period.from, period.to, tz)).length > 0) {
    wrong('compare', 'ends before it begins', valid);
  }
}

function boundsIn(from: string | undefined, to: string | undefined, tz: string | undefined) {
  return {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    tz: tz ?? localZone(),
  };
}
