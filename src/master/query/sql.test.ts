import { describe, expect, it } from 'vitest';
import { type Filters, type Part, where } from './filter.ts';
import { groupSpec } from './group-keys.ts';
import { wallClock } from './hour-of-week.ts';
import { sourceOf } from './source.ts';
import { listed, named, sql } from './sql.ts';
import { groupStatement, seriesStatement, summaryStatement } from './statements.ts';

const RANGE = { from: 10, to: 20 };
const SOURCE = sourceOf('minute', 7);
const partOf = (filters: Filters): Part => ({
  source: SOURCE,
  clock: wallClock('UTC', [RANGE]),
  range: RANGE,
  filters,
  filter: null,
});
const EVIL = "x') OR 1=1; DROP TABLE minute; --";

describe('sql', () => {
  it('numbers values in the order of the text', () => {
    const inner = sql`b = ${'two'}`;
    expect(sql`a = ${1} AND ${inner} OR c IN (${listed([3, 4])})`.render()).toEqual({
      text: 'a = $1 AND b = $2 OR c IN ($3, $4)',
      values: [1, 'two', 3, 4],
    });
  });

  it('takes names from the dimension table alone', () => {
    expect(named('group').render().text).toBe('"group"');
    for (const name of ['minute', 'x"; --', 'up', '']) expect(() => named(name)).toThrow(/no column/);
  });

  it('is a template tag and nothing else', () => {
    const strings = Object.assign([EVIL], { raw: [EVIL] });
    expect(() => sql(strings)).toThrow(/template tag/);
  });
});

it('keeps the text of users out of statements', () => {
  const keys = [
    'agent_id',
    'rule',
    'destination',
    'geoip',
    'host',
    'chains',
    'process',
    'group',
    'device',
  ] as const;
  for (const key of keys) {
    const filters: Filters = { [key]: [EVIL, 'fine'] };
    const { text, values } = where(partOf(filters)).render();
    expect(text).not.toContain('DROP');
    expect(values.some((value) => String(value).toLowerCase() === EVIL.toLowerCase())).toBe(true);
  }
});

describe('statements', () => {
  it('of a summary', () => {
    expect(summaryStatement(partOf({ agent_id: 'home' })).render()).toMatchInlineSnapshot(`
      {
        "text": "SELECT coalesce(sum(up), 0) AS u, coalesce(sum(down), 0) AS d, coalesce(sum(CASE WHEN prev < $1 THEN conns ELSE 0 END), 0) AS n FROM minute WHERE bucket >= $2 AND bucket < $3 AND ("agent" IN ($4))",
        "values": [
          10,
          10,
          20,
          "home",
        ],
      }
    `);
  });
  it('of groups', () => {
    const sort = { by: 'count', order: 'asc', limit: 5 } as const;
    expect(groupStatement(groupSpec('host'), partOf({}), sort).render()).toMatchInlineSnapshot(`
      {
        "text": "WITH a AS (SELECT host, CASE WHEN host = 0 THEN destination_ip ELSE 0 END AS destination_ip, coalesce(sum(up), 0) AS u, coalesce(sum(down), 0) AS d, coalesce(sum(CASE WHEN prev < $1 THEN conns ELSE 0 END), 0) AS n FROM minute WHERE bucket >= $2 AND bucket < $3 GROUP BY ALL), g AS MATERIALIZED (SELECT coalesce(CASE WHEN a.host = 0 THEN y.ip ELSE x.host END, '') AS k, sum(u) AS u, sum(d) AS d, sum(n) AS n FROM a LEFT JOIN host AS x ON x.id = a.host LEFT JOIN ip AS y ON y.id = a.destination_ip GROUP BY 1), t AS (SELECT false AS whole, k, u, d, n, 1 AS members FROM g ORDER BY n ASC, k LIMIT $4) SELECT * FROM (SELECT * FROM t UNION ALL SELECT true, NULL, sum(u), sum(d), sum(n), count(*) FROM g) ORDER BY whole, n ASC, k",
        "values": [
          10,
          10,
          20,
          5,
        ],
      }
    `);
  });
  it('of a series', () => {
    expect(
      seriesStatement('connections', partOf({ rule: 'Match' }), [10, 15]).render(),
    ).toMatchInlineSnapshot(`
      {
        "text": "WITH p AS (SELECT unnest($1::INTEGER[]) AS point, unnest($2::INTEGER[]) AS s, unnest($3::INTEGER[]) AS f, unnest($4::INTEGER[]) AS t), e AS MATERIALIZED (SELECT unnest(range(f, t, $5))::INTEGER AS b, s, point FROM p), a AS (SELECT e.s AS s, coalesce(sum(CASE WHEN prev < e.s THEN conns ELSE 0 END), 0) AS n FROM (SELECT bucket, prev, sum(conns) AS conns FROM minute WHERE bucket >= $6 AND bucket < $7 AND (rule IN (SELECT id FROM rule WHERE (type <> '' AND type IN ($8)) OR CASE WHEN payload = '' THEN type ELSE type || ' (' || payload || ')' END IN ($9) OR (payload = '' AND type || ' ()' IN ($10)))) GROUP BY ALL) AS f JOIN e ON e.b = f.bucket GROUP BY 1) SELECT s, n AS v FROM a",
        "values": [
          [
            0,
            1,
          ],
          [
            10,
            15,
          ],
          [
            10,
            15,
          ],
          [
            15,
            20,
          ],
          1,
          10,
          20,
          "Match",
          "Match",
          "Match",
        ],
      }
    `);
  });
});
