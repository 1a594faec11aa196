import { type TObject, type TSchema, Type } from '@sinclair/typebox';
import type { ErrorCode } from '../../common/errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    contract?: Contract;
  }
}

/** Bodies of an answer, by media type. */
export type Returns = Readonly<Record<string, TSchema>>;

/** What every route says of itself beside its path and scope, for `/openapi.json`. */
export interface Described {
  /** One line, without a full stop. */
  readonly summary: string;
  readonly description?: string;
  /** What a success (200) holds. Closed objects, so that tests notice a field that nobody described. */
  readonly returns: Returns;
  /** Failures of this route, beside those that every route of its kind has. */
  readonly errors?: readonly ErrorCode[];
}

/** The same schemas that validate a request and describe it. */
export interface Contract extends Described {
  readonly params?: TObject;
  readonly query?: TObject;
  readonly body?: TObject;
}

/** The contract of a route, out of all that it is made of. */
export function contractOf({
  summary,
  description,
  returns,
  errors,
  params,
  query,
  body,
}: Contract): Contract {
  return {
    summary,
    returns,
    ...(description !== undefined && { description }),
    ...(errors !== undefined && { errors }),
    ...(params !== undefined && { params }),
    ...(query !== undefined && { query }),
    ...(body !== undefined && { body }),
  };
}

/** What may stand beside `data`, as in `Success`. */
export interface Beside {
  readonly meta?: TSchema;
  readonly total_count?: TSchema;
}

/** An object that has these fields and no others. */
export const closed = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

/** The answer in the envelope. */
export function inEnvelope(data: TSchema, beside: Beside = {}): Returns {
  return {
    'application/json': closed({
      status: Type.Literal('success'),
      data,
      message: Type.Null(),
      ...(beside.total_count && { total_count: beside.total_count }),
      ...(beside.meta && { meta: beside.meta }),
    }),
  };
}
