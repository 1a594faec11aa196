import { Type } from '@sinclair/typebox';
import { ERRORS, type ErrorCode } from '../../../common/errors.ts';
import { type Contract, closed } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import type { Scope } from '../scope.ts';

const CODES = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => ERRORS[code].status !== 0);

const Detail = closed({
  field: Type.String(),
  problem: Type.String(),
  at: Type.Optional(
    Type.Tuple([Type.Integer(), Type.Integer()], { description: 'where in a text: UTF-16 units, half-open' }),
  ),
  hint: Type.Optional(Type.String()),
});

/** The envelope of every failure. */
export const Failure = closed({
  status: Type.Literal('error'),
  data: Type.Unknown({ description: 'null, but for what there is to say all the same' }),
  message: Type.String(),
  code: oneOf(CODES),
  hint: Type.String({ description: 'what to do about it' }),
  details: Type.Optional(Type.Array(Detail, { description: 'all that is wrong' })),
});

const OF_ALL: readonly ErrorCode[] = ['bad_request', 'headers_too_large', 'timeout', 'internal'];
const OF_RIGHTS: readonly ErrorCode[] = [
  'unauthorized',
  'forbidden',
  'address_refused',
  'host_refused',
  'too_many_requests',
];
const OF_ACTS: readonly ErrorCode[] = [
  'origin_refused',
  'body_invalid',
  'body_too_large',
  'unsupported_media',
];
const OF_STORES: readonly ErrorCode[] = ['too_many_requests', 'not_ready'];

/** Every code that a route may answer, by status in ascending order. */
export function failuresOf(method: string, scope: Scope, contract: Contract): Map<number, ErrorCode[]> {
  const codes = new Set<ErrorCode>([
    ...OF_ALL,
    ...(scope === 'none' ? [] : [...OF_RIGHTS, ...OF_STORES]),
    ...(method === 'GET' ? [] : OF_ACTS),
    ...(contract.params === undefined ? [] : (['not_found'] as const)),
    ...(contract.errors ?? []),
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...codes].sort((a, b) => ERRORS[a].status - ERRORS[b].status)) {
    byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code]);
  }
  return byStatus;
}

const RETRY_AFTER = { 'retry-after': { description: 'seconds', schema: { type: 'integer', minimum: 1 } } };
const HEADERS: Readonly<Record<number, object>> = {
  401: { 'www-authenticate': { description: 'Bearer', schema: { type: 'string' } } },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};

/** What is answered with a status, out of the catalogue: its codes, and what to do about each. */
export function failureResponse(status: number, codes: readonly ErrorCode[]): object {
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].hint}`).join('\n\n'),
    ...(HEADERS[status] !== undefined && { headers: HEADERS[status] }),
    content: {
      'application/json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Failure' }, { properties: { code: { enum: codes } } }],
        },
      },
    },
  };
}
