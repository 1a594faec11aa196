import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FILTER_FIELDS, OPERATORS_OF } from '../../domain/filter/fields.ts';
import { GROUP_KEYS } from '../query/group-keys.ts';
import { Bench } from './bench.test-support.ts';
import { BEARER, FakeServices } from './http.test-support.ts';

const bench = new Bench();
afterAll(() => bench.close());
const get = bench.get.bind(bench);

describe('hostile text', () => {
  const nasty = [
    "' OR 1=1 --",
    '1; DELETE FROM connections; --',
    '") UNION SELECT sql FROM sqlite_master --',
    '%',
    '_',
    '\\',
    '[a-z]*',
    '\u0000 ',
    '💥'.repeat(50),
    '$1',
    '?1',
    ':x',
    'NULL',
  ];

  it('in any filter of /connections finds nothing, or is refused', async () => {
    for (const name of GROUP_KEYS) {
      for (const value of nasty) {
        const { status, body } = await get(`/connections?${name}=${encodeURIComponent(value)}`);
        if (status !== 400) {
          expect([status, body.data], `${name}=${value}`).toEqual([200, []]);
        }
      }
    }
    expect((await get('/connections')).body.total_count).toBe(1);
  });

  it('in a filter finds nothing, or is refused', async () => {
    const app = bench.app();
    const statusOf = async (filter: string) => {
      const url = `/api/v1/connections?filter=${encodeURIComponent(filter)}`;
      const answer = await app.inject({ url, headers: BEARER });
      const { data, details } = answer.json();
      if (answer.statusCode === 400) expect(details[0].at).toHaveLength(2);
      // What is a pattern may match.
      else if (!filter.includes('=~')) expect([answer.statusCode, data], filter).toEqual([200, []]);
      return answer.statusCode;
    };
    const quoted = nasty.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`);
    let taken = 0;
    for (const { name, type } of FILTER_FIELDS) {
      for (const op of OPERATORS_OF[type].filter((one) =>
        ['=', '~', '=~', 'under', 'in', '>'].includes(one),
      )) {
        for (const value of quoted) {
          const filter = op === 'in' ? `${name} in (${value}, ${value})` : `${name} ${op} ${value}`;
          if ((await statusOf(filter)) === 200) taken++;
        }
      }
    }
    for (const text of nasty) await statusOf(`process = nowhere and ${text}`);
    expect(taken).toBeGreaterThan(300);
    expect((await get('/connections')).body.total_count).toBe(1);
  });

  it('reaches statistics as it is, as a value only', async () => {
    for (const name of GROUP_KEYS) {
      const asked = new FakeServices();
      const { status } = await get(`/stats?type=summary&${name}=${encodeURIComponent("' OR 1=1")}`, {
        stats: asked.stats,
      });
      if (status === 400) expect(['route', 'destination_port']).toContain(name);
      else expect(asked.asked).toMatchObject([{ filters: { [name]: "' OR 1=1" } }]);
    }
  });

  it('in any parameter of any question never becomes a failure of the master', async () => {
    const app = bench.app();
    const paths = ['/stats', '/connections', '/filter-options', '/verify', '/agents'];
    const names = [
      'type',
      'group_by',
      'from',
      'to',
      'tz',
      'limit',
      'cursor',
      'sort_by',
      'range',
      'filter',
      'state',
      'counted',
      'interval',
      'agent',
      'x',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary', maxLength: 30 })),
        async (path, query) => {
          const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
          const answer = await app.inject({ url: `/api/v1${path}?${text.join('&')}`, headers: BEARER });
          expect([200, 400]).toContain(answer.statusCode);
          expect(['success', 'error']).toContain(answer.json().status);
        },
      ),
      { numRuns: 200 },
    );
  });
});
