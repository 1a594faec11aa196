import { afterAll, describe, expect, it } from 'vitest';
import { Bench } from './bench.test-support.ts';

const bench = new Bench();
afterAll(() => bench.close());
const get = bench.get.bind(bench);

describe('bad parameters', () => {
  it.each([
    ['/stats', [['type', 'is required']]],
    ['/stats?type=group', [['group_by', 'is required for type=group']]],
    ['/stats?type=sumary', [['type', 'did you mean "summary"?']]],
    [
      '/stats?type=group&group_by=hots&sort_by=bytes&sort_order=up',
      [
        ['group_by', 'did you mean "host"?'],
        ['sort_by', 'must be one of count, download, upload, total'],
        ['sort_order', 'must be one of asc, desc'],
      ],
    ],
    [
      '/stats?type=group&group_by=host&sort_by=count&filter=recovered%20%3D%20true',
      [['sort_by', 'with a filter by recovered or hour_of_week']],
    ],
    ['/stats?type=summary&agentid=a', [['agentid', 'did you mean "agent_id"?']]],
    ['/stats?type=summary&zzzzzzzz=a', [['zzzzzzzz', 'is no parameter']]],
    ['/stats?type=summary&source_port=1', [['source_port', 'on connection records only']]],
    ['/stats?type=group&group_by=uid', [['group_by', 'on connection records only']]],
    ['/stats?type=timeseries&interval=7m', [['interval', 'multiple such as 5m']]],
    ['/stats?type=timeseries&metric=speed', [['metric', 'must be one of']]],
    ['/stats?type=summary&tz=Mars/Base', [['tz', 'IANA']]],
    ['/stats?type=summary&tz=%2B08:00', [['tz', 'IANA']]],
    ['/stats?type=summary&from=2026-01-01T', [['from', 'ISO 8601']]],
    ['/stats?type=summary&from=1969-12-31', [['from', 'years 1970 to 9998']]],
    ['/stats?type=summary&from=2026-02-30', [['from', 'no time that exists']]],
    ['/stats?type=summary&from=2026-01-01T00:00:00+08:00', [['from', '%2B']]],
    ['/stats?type=summary&to=2026-02-30T00:00:00Z', [['to', 'no time that exists']]],
    ['/stats?type=summary&to=tomorrow', [['to', 'ISO 8601']]],
    [
      '/stats?type=summary&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
      [['to', 'must be after "from"']],
    ],
    ['/stats?type=summary&type=group', [['type', 'more than once']]],
    ['/connections?limit=0', [['limit', 'at least 1']]],
    ['/connections?limit=1001', [['limit', 'at most 1000']]],
    ['/connections?limit=4294967295', [['limit', 'at most 1000']]],
    ['/connections?limit=', [['limit', 'whole number']]],
    ['/connections?limit=1e2', [['limit', 'whole number']]],
    ['/connections?limit=0x10', [['limit', 'whole number']]],
    ['/connections?limit=%205', [['limit', 'whole number']]],
    ['/connections?limit=5.5', [['limit', 'whole number']]],
    ['/connections?offset=-1', [['offset', 'at least 0']]],
    ['/connections?limit=1&limit=2', [['limit', 'more than once']]],
    ['/connections?route=tunnel', [['route', 'direct, proxied, reject']]],
    ['/connections?destination_port=70000', [['destination_port', '0 to 65535']]],
    ['/connections?cursor=abc', [['cursor', 'not one of this master']]],
    ['/connections?cursor=abc&offset=5', [['offset', 'cannot be combined']]],
    ['/connections?sort_by=count', [['sort_by', 'must be one of start']]],
    ['/connections?__proto__=x', [['__proto__', 'is no parameter']]],
    [
      '/connections?limit=0&from=x&sort_by=y&hots=z&offset=a',
      [
        ['hots', 'did you mean'],
        ['from', 'ISO 8601'],
        ['sort_by', 'must be one of'],
        ['limit', 'at least 1'],
        ['offset', 'whole number'],
      ],
    ],
    ['/agents?x=1', [['x', 'is no parameter']]],
    ['/ready?x=1', [['x', 'is no parameter']]],
    ['/agents/a/status?x=1', [['x', 'is no parameter']]],
    ['/filter-options', [['filter_type', 'is required']]],
    ['/filter-options?filter_type=uid', [['filter_type', 'on connection records only']]],
    ['/verify?group=week', [['group', 'day, month, range']]],
    [
      '/verify?agent=nobody&to=tomorrow',
      [
        ['to', 'ISO 8601'],
        ['agent', 'there is no agent "nobody"'],
      ],
    ],
    ['/verify?agent=', [['agent', 'there is no agent ""']]],
  ])('%s', async (path, expected) => {
    const { status, body } = await get(path);
    expect(status).toBe(400);
    expect(body).toMatchObject({ status: 'error', data: null, code: 'bad_request' });
    expect(body.details).toHaveLength(expected.length);
    for (const [field, problem] of expected) {
      const detail = body.details.find((candidate: { field: string }) => candidate.field === field);
      expect(detail?.problem).toContain(problem);
    }
  });
});
