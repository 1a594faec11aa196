import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { ErrorDetail } from '../../../common/errors.ts';
import { refusal } from '../../query/filter-text.ts';
import type { TrafficData } from '../../query/traffic-answer.ts';
import { TrafficAnswerSchema } from '../answers/traffic.ts';
import type { Call } from '../call.ts';
import { addCommand } from '../command.ts';
import { closed, inEnvelope } from '../contract.ts';
import type { HttpDeps } from '../deps.ts';
import { type Failure, failure, type Success, success } from '../envelope.ts';
import { inspect, isObject } from '../input.ts';
import { checkQuery, QUERY_PARTS, QueryBody, questionOf } from '../query-body.ts';
import { reportedError } from '../reported-error.ts';

/** Queries of one batch: what a page of the dashboard asks at once. */
const MAX_QUERIES = 12;

const QUERY_ERRORS = ['filter_invalid', 'query_too_large', 'query_timeout', 'too_many_requests'] as const;

const BatchBody = closed({
  common: Type.Optional(
    Type.Object(QUERY_PARTS, { additionalProperties: false, description: 'parts that all queries share' }),
  ),
  // What is wrong with one query is said of that one, and the others are answered.
  queries: Type.Array(Type.Unknown({ description: 'an `id`, and the parts of a query' }), {
    minItems: 1,
    maxItems: MAX_QUERIES,
  }),
});

/** Each as if it had been asked alone. */
const BatchAnswer = Type.Union([
  TrafficAnswerSchema,
  closed({
    status: Type.Literal('error'),
    data: Type.Null(),
    message: Type.String(),
    code: Type.String(),
    hint: Type.String(),
    details: Type.Optional(Type.Array(Type.Object({ field: Type.String(), problem: Type.String() }))),
  }),
]);

export function queryRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const ask = async (body: QueryBody, { signal }: Call): Promise<Success<TrafficData>> => {
    const { data, meta } = await deps.traffic.answer(questionOf(body, (deps.now ?? Date.now)()), { signal });
    return success(data, { meta });
  };
  addCommand(app, {
    path: '/query',
    scope: 'read',
    summary: 'Sums of traffic by up to four dimensions, over time, and against another period',
    body: QueryBody,
    returns: { 'application/json': TrafficAnswerSchema },
    errors: QUERY_ERRORS,
    check: (body) => checkQuery(body, deps),
    answer: ask,
  });
  addCommand(app, {
    path: '/query/batch',
    scope: 'read',
    summary: 'Several queries at once; what is wrong with one costs the others nothing',
    body: BatchBody,
    returns: inEnvelope(Type.Record(Type.String(), BatchAnswer)),
    check: ({ queries = [] }) => checkIds(queries),
    answer: async ({ common = {}, queries }, call) => {
      const answered = queries.map(async (given): Promise<[string, Success<TrafficData> | Failure]> => {
        const { id, ...own } = given as { id: string } & QueryBody;
        return [id, await answerOne(merged(common, own), call, deps, ask)];
      });
      return success(Object.fromEntries(await Promise.all(answered)));
    },
  });
}

/** A query's own range takes the place of the common one as a whole. */
function merged(common: QueryBody, own: QueryBody): QueryBody {
  const hasRange = own.range !== undefined || own.from !== undefined || own.to !== undefined;
  if (!hasRange) return { ...common, ...own };
  const { range: _range, from: _from, to: _to, ...rest } = common;
  return { ...rest, ...own };
}

/** Answers are told apart by their ids, so these must be there, and each its own. */
function checkIds(queries: readonly unknown[]): ErrorDetail[] {
  const seen = new Set<unknown>();
  return queries.flatMap((query, index) => {
    const id: unknown = isObject(query) ? query.id : undefined;
    const field = `queries[${index}].id`;
    if (typeof id !== 'string' || id === '') return [{ field, problem: 'is required, as a text' }];
    if (seen.has(id)) return [{ field, problem: `is taken by another query: ${JSON.stringify(id)}` }];
    seen.add(id);
    return [];
  });
}

async function answerOne(
  body: QueryBody,
  call: Call,
  deps: HttpDeps,
  ask: (body: QueryBody, call: Call) => Promise<Success<TrafficData>>,
): Promise<Success<TrafficData> | Failure> {
  try {
    const { details, value } = await inspect(call.request, 'body', QueryBody, body, (valid) =>
      checkQuery(valid, deps),
    );
    if (details.length > 0) throw refusal(details);
    return await ask(value, call);
  } catch (error) {
    const reported = reportedError(error);
    if (reported.code === 'internal')
      deps.logger.error({ route: '/query/batch', err: error }, 'a query failed');
    return failure(reported);
  }
}
