import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addCommand } from './command.ts';
import { closed, inEnvelope } from './contract.ts';
import { success } from './envelope.ts';
import { BEARER, testApp } from './http.test-support.ts';
import { inspect } from './input.ts';
import { MAX_BODY } from './limits.ts';
import { interval, oneOf, text, whole } from './parameters.ts';

const Query = closed({
  group_by: Type.Optional(Type.Array(oneOf(['host', 'process', 'rule']), { maxItems: 4, uniqueItems: true })),
  interval: Type.Optional(Type.Union([Type.Literal('auto'), interval(), Type.Null()])),
  compare: Type.Optional(
    Type.Union([Type.Literal('previous'), closed({ from: text(), to: text() }), Type.Null()]),
  ),
  shape: Type.Optional(
    Type.Union([
      closed({ kind: Type.Literal('list'), limit: whole(1, 10) }),
      closed({ kind: Type.Literal('sum'), metric: text() }),
    ]),
  ),
  series: Type.Optional(Type.Boolean()),
  'odd/na~me': Type.Optional(Type.Boolean()),
});
const Body = closed({
  common: Type.Optional(Query),
  queries: Type.Array(Query, { minItems: 1, maxItems: 12 }),
  limit: Type.Optional(whole(1, 1000)),
  top: Type.Optional(whole(1, 1000)),
});

function app() {
  const application = testApp();
  addCommand(application, {
    path: '/api/v1/echo',
    scope: 'read',
    summary: 'Answers what it was given',
    body: Body,
    returns: inEnvelope(Body),
    check: ({ limit, top }) =>
      limit !== undefined && top !== undefined && limit < top
        ? [{ field: 'top', problem: 'is more than "limit"' }]
        : [],
    answer: async (body) => success(body),
  });
  return application;
}

async function post(payload: unknown, { query = '', headers = {} } = {}) {
  const answer = await app().inject({
    method: 'POST',
    url: `/api/v1/echo${query}`,
    headers: { ...BEARER, 'content-type': 'application/json', ...headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
  return { status: answer.statusCode, body: answer.json() };
}

describe('a command', () => {
  it('gets its body as it was sent', async () => {
    const body = {
      queries: [
        { group_by: ['host'], interval: 'auto', compare: 'previous' },
        { interval: '5m', compare: null, shape: { kind: 'sum', metric: 'total' } },
      ],
      limit: 10,
      top: 10,
    };
    expect(await post(body)).toEqual({ status: 200, body: success(body) });
  });

  it.each<[string, object, [string, string][]]>([
    ['a field that is missing', {}, [['queries', 'is required']]],
    ['an unknown field', { queries: [{}], limt: 1 }, [['limt', 'is unknown; did you mean "limit"?']]],
    ['one that is like none', { queries: [{}], zzzzzzzz: 1 }, [['zzzzzzzz', 'is no field here']]],
    [
      'an unknown field inside',
      { queries: [{}, { serie: true }] },
      [['queries[1].serie', 'did you mean "series"?']],
    ],
    [
      'a wrong word in a list',
      { queries: [{}, { group_by: ['hots'] }] },
      [['queries[1].group_by[0]', 'did you mean "host"?']],
    ],
    ['too long a list', { queries: Array(13).fill({}) }, [['queries', 'has more than 12 items']]],
    ['an empty list', { queries: [] }, [['queries', 'is empty']]],
    [
      'a word twice',
      { queries: [{ group_by: ['host', 'host'] }] },
      [['queries[0].group_by', 'names something twice']],
    ],
    ['a number as text', { queries: [{}], limit: '5' }, [['limit', 'must be a whole number']]],
    ['a fraction', { queries: [{}], limit: 5.5 }, [['limit', 'must be a whole number']]],
    ['no list', { queries: {} }, [['queries', 'must be a list']]],
    ['no object in a list', { queries: [1] }, [['queries[0]', 'must be an object']]],
    ['no truth value', { queries: [{ series: 1 }] }, [['queries[0].series', 'must be true or false']]],
    [
      'a name that is no word',
      { queries: [{ 'odd/na~me': 1 }] },
      [['queries[0]["odd/na~me"]', 'must be true or false']],
    ],
    [
      'none of the alternatives',
      { queries: [{ interval: '7m' }] },
      [['queries[0].interval', 'must be "auto", or must be minute, hour']],
    ],
    [
      'the wrong type for all of them',
      { queries: [{ interval: 5 }] },
      [['queries[0].interval', 'must be a text']],
    ],
    [
      'a mistake inside the one that was meant',
      { queries: [{ compare: { from: 'x' } }] },
      [['queries[0].compare.to', 'is required']],
    ],
    [
      'a mistake in the one that its mark names',
      { queries: [{ shape: { kind: 'list', limit: 11 } }] },
      [['queries[0].shape.limit', 'must be at most 10']],
    ],
    [
      'values that do not go together',
      { queries: [{}], limit: 5, top: 6 },
      [['top', 'is more than "limit"']],
    ],
    [
      'all of it at once, what is valid by itself checked together',
      { queries: [{ group_by: ['x', 'host'] }], limit: 5, top: 6, more: 1, common: [] },
      [
        ['more', 'is no field'],
        ['common', 'must be an object'],
        ['queries[0].group_by[0]', 'must be one of'],
        ['top', 'is more than'],
      ],
    ],
  ])('names %s', async (_name, payload, expected) => {
    const { status, body } = await post(payload);
    expect(status).toBe(400);
    expect(body).toMatchObject({ status: 'error', data: null, code: 'bad_request' });
    const fields = body.details.map(({ field }: { field: string }) => field);
    expect(fields.sort()).toEqual(expected.map(([field]) => field).sort());
    for (const [field, problem] of expected) {
      const detail = body.details.find((candidate: { field: string }) => candidate.field === field);
      expect(detail.problem).toContain(problem);
    }
  });

  it('does not check together what is wrong by itself', async () => {
    const { body } = await post({ queries: [{}], limit: 0, top: 6 });
    expect(body.details).toEqual([{ field: 'limit', problem: 'must be at least 1' }]);
  });

  it('takes no parameters in its URL, and tells of them with the rest', async () => {
    const { body } = await post({}, { query: '?limit=5' });
    expect(body.details).toEqual([
      { field: 'limit', problem: 'is no parameter of this path' },
      { field: 'queries', problem: 'is required' },
    ]);
  });

  it('tells of a hundred problems and how many more there are', async () => {
    const { body } = await post({ queries: [{ group_by: Array(200).fill('x') }] });
    expect(body.details).toHaveLength(101);
    expect(body.details.at(-1)).toEqual({ field: '', problem: 'and 101 more problems' });
  });

  it.each([
    ['no JSON', '{', 400, 'body_invalid'],
    ['empty', '', 400, 'body_invalid'],
    ['a list', '[]', 400, 'body_invalid'],
    ['null', 'null', 400, 'body_invalid'],
    ['a text', '"x"', 400, 'body_invalid'],
    ['poison for prototypes', '{"queries":[{}],"__proto__":{"limit":1}}', 400, 'body_invalid'],
    ['larger than any', ' '.repeat(MAX_BODY + 1), 413, 'body_too_large'],
  ])('refuses a body that is %s', async (_name, payload, status, code) => {
    expect(await post(payload)).toMatchObject({ status, body: { status: 'error', data: null, code } });
  });

  it.each([
    ['text/plain', {}],
    ['application/x-www-form-urlencoded', {}],
    ['application/json; charset=latin1', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
    ['application/json', { 'content-encoding': 'br' }],
  ])('takes no %s with %o', async (type, more) => {
    const { status, body } = await post({ queries: [{}] }, { headers: { 'content-type': type, ...more } });
    expect([status, body.code]).toEqual([415, 'unsupported_media']);
  });

  it('answers any JSON at all, and never fails on it', async () => {
    const application = app();
    const names = [
      'queries',
      'common',
      'limit',
      'group_by',
      'interval',
      'compare',
      'shape',
      'kind',
      '__proto__',
      '/~',
    ];
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, 0, -1, 1.5, 1e300, '', 'auto', 'list', 'host'),
        fc.string({ unit: 'binary' }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    await fc.assert(
      fc.asyncProperty(json, async (value) => {
        const answer = await application.inject({
          method: 'POST',
          url: '/api/v1/echo',
          headers: { ...BEARER, 'content-type': 'application/json' },
          payload: JSON.stringify(value),
        });
        expect([200, 400]).toContain(answer.statusCode);
        for (const { field, problem } of answer.json().details ?? []) {
          expect([typeof field, problem === '']).toEqual(['string', false]);
          expect(field.length).toBeLessThan(500);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has parts that can be looked at one by one', async () => {
    const application = testApp();
    addCommand(application, {
      path: '/api/v1/batch',
      scope: 'read',
      summary: 'Answers what is wrong with each part',
      body: closed({ queries: Type.Array(Type.Unknown()) }),
      returns: inEnvelope(Type.Array(Type.Unknown())),
      answer: async ({ queries }, { request }) =>
        success(
          await Promise.all(
            queries.map(async (query) => (await inspect(request, 'body', Query, query)).details),
          ),
        ),
    });
    const answer = await application.inject({
      method: 'POST',
      url: '/api/v1/batch',
      headers: BEARER,
      payload: { queries: [{ series: true }, { group_by: ['x'] }, 5] },
    });
    expect(answer.json().data).toEqual([
      [],
      [{ field: 'group_by[0]', problem: 'must be one of host, process, rule' }],
      [{ field: '', problem: 'must be an object' }],
    ]);
  });
});
