import { describe, expect, it } from 'vitest';
import { QUERY_DIMENSIONS, type QueryDimension } from '../../domain/dimensions.ts';
import { parseFilter } from '../../domain/filter/parser.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import { METRICS } from './metrics.ts';
import { pointsStatement, seriesStatement, unattributedSeriesStatement } from './series-statements.ts';
import type { Sql } from './sql.ts';
import type { Kept } from './tier.ts';
import { planTraffic, type TrafficPlan } from './traffic-plan.ts';
import type { TrafficQuestion } from './traffic-question.ts';
import {
  combinationStatement,
  eachStatement,
  largestCombinationStatement,
  unattributedStatement,
  wholeStatement,
} from './traffic-statements.ts';

const HOUR = 3_600_000;
const KEPT = {
  watermark: 9,
  hasTail: true,
  extent: { first: 0, last: 100_000 },
  facts: { minute: 0, half_hour: 0 },
  wholeFrom: { minute: 0, half_hour: 0 },
};
const QUESTION: TrafficQuestion = {
  from: 24 * HOUR,
  to: 26 * HOUR,
  tz: 'UTC',
  agents: null,
  filter: null,
  overlay: false,
  groupBy: [],
  metrics: ['total'],
  interval: null,
  top: 3,
  topBy: 'total',
  topMode: 'combination',
  compare: null,
};

const planOf = (question: Partial<TrafficQuestion>, kept: Kept = KEPT): TrafficPlan =>
  planTraffic({ ...QUESTION, ...question }, null, kept, 30 * HOUR);

/** The text alone, a clause a line: values are numbers of this test. */
function textOf(statement: Sql): string {
  return statement
    .render()
    .text.replaceAll(/ (WITH|FROM|WHERE|GROUP BY|ORDER BY|LEFT JOIN|UNION ALL)\b/g, '\n$1');
}

function filterOf(text: string): Filter {
  const parsed = parseFilter(text, { of: 'facts' });
  if (!parsed.ok || parsed.filter === null) throw new Error(text);
  return parsed.filter;
}

describe('statements of a question', () => {
  it('sum everything', () => {
    expect(textOf(wholeStatement(planOf({ metrics: METRICS, overlay: true })))).toMatchSnapshot();
    expect(textOf(wholeStatement(planOf({ compare: 'previous', metrics: METRICS })))).toMatchSnapshot();
    expect(textOf(wholeStatement(planOf({ from: 24 * HOUR + 60_000 })))).toMatchSnapshot();
    expect(textOf(wholeStatement(planOf({}, { ...KEPT, hasTail: false })))).toMatchSnapshot();
    expect(textOf(pointsStatement(planOf({ metrics: METRICS }), [1440, 1500]))).toMatchSnapshot();
  });

  it.each(QUERY_DIMENSIONS)('group by %s', (name) => {
    const plan = planOf({ groupBy: [name], tz: 'Asia/Kathmandu' });
    expect(textOf(combinationStatement(plan))).toMatchSnapshot();
    expect(textOf(seriesStatement(plan, [1440, 1500], [['a'], ['b']]))).toMatchSnapshot();
  });

  it('group by tuples', () => {
    const groupBy: QueryDimension[] = ['device', 'site', 'hour_of_week', 'recovered'];
    const plan = planOf({ groupBy, compare: 'previous', topBy: 'opened', metrics: METRICS });
    expect(textOf(combinationStatement(plan))).toMatchSnapshot();
    expect(textOf(seriesStatement(plan, [1440], [['a', 'b', '7', 'true']]))).toMatchSnapshot();
  });

  it('find the top tuples without the others', () => {
    for (const groupBy of [
      ['device', 'host'],
      ['site', 'rule', 'hour_of_week'],
    ] as QueryDimension[][]) {
      const plan = planOf({ groupBy, topBy: 'connections' });
      expect(textOf(largestCombinationStatement(plan))).toMatchSnapshot();
      expect(textOf(seriesStatement(plan, [1440], [groupBy.map(() => 'a')], true))).toMatchSnapshot();
    }
  });

  it('find the top values of each dimension, wide ones first', () => {
    const plan = planOf({ groupBy: ['device', 'site', 'node'], topMode: 'each', compare: 'previous' });
    expect(textOf(eachStatement(plan))).toMatchSnapshot();
    expect(textOf(seriesStatement(plan, [1440], [['a', null, 'c']]))).toMatchSnapshot();
  });

  it('sum what no connection explains', () => {
    const plan = planOf({
      filter: filterOf('agent = home and hour_of_week < 5'),
      agents: ['home', 'office'],
    });
    expect(textOf(unattributedStatement(plan))).toMatchSnapshot();
    expect(textOf(unattributedSeriesStatement(plan, [1440]))).toMatchSnapshot();
  });

  it('have every operator of a filter, and no text of a user', () => {
    const evil = '"\'); DROP TABLE minute; --"';
    const filters = [
      `host = ${evil} and site != ${evil} and node in (${evil}, b) and payload not in (${evil})`,
      `process ~ ${evil} and group !~ ${evil} and chain =~ "DROP|drop" and host under ${evil}`,
      `inbound_user is empty and inbound_name is not empty and not ${evil}`,
      'device under 10.0.0.0/8 and destination_ip = 10.0.0.1-10.0.0.9 and destination_port >= 8000',
      'hour_of_week in (0-7, 160-167) or recovered = true or route = reject or network = tcp',
    ];
    for (const text of filters) {
      const plan = planOf({ filter: filterOf(text), agents: ["'; DROP TABLE lots; --"] });
      for (const statement of [wholeStatement(plan), unattributedStatement(plan)]) {
        expect(statement.render().text).not.toMatch(/DROP|drop/);
      }
      expect(textOf(wholeStatement(plan))).toMatchSnapshot();
    }
  });
});
