import type { Static, TObject } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { refusal } from '../query/filter-text.ts';
import { type Call, callOf } from './call.ts';
import { contractOf, type Described } from './contract.ts';
import type { Failure, Success } from './envelope.ts';
import { type Check, inspect } from './input.ts';
import type { Scope } from './scope.ts';

/** A GET with parameters. */
export interface Question<S extends TObject, T, P extends TObject = TObject> extends Described {
  readonly path: string;
  readonly scope: Scope;
  /** Of the path, each a text; what does not fit is `not_found`. */
  readonly params?: P;
  /** Closed (`additionalProperties: false`): what it does not name is a mistake, never ignored. */
  readonly query: S;
  /** A ticket in the URL (`?ticket=`) stands for the rights of whoever asked for it. */
  readonly tickets?: true;
  /** False where asking as HEAD would do all the work for nothing; default true. */
  readonly head?: false;
  /** What no schema can say, about several parameters together; sees only values that are valid by themselves. */
  readonly check?: Check<S>;
  /** The answer; or the reply, where it was sent in another form. */
  answer(query: Static<S>, call: Call<P>): Promise<Success<T> | Failure | FastifyReply>;
}

/** Registers it so that all problems of a query are told at once, those of the schema and those of `check`. */
export function addQuestion<S extends TObject, T, P extends TObject>(
  app: FastifyInstance,
  question: Question<S, T, P>,
): void {
  const { path, scope, query: schema } = question;
  const integers = Object.keys(schema.properties).filter(
    (name) => schema.properties[name]?.type === 'integer',
  );
  const config = {
    scope,
    contract: contractOf(question),
    ...(question.tickets && { tickets: true as const }),
  };
  app.get(path, { config, exposeHeadRoute: question.head ?? true }, async (request, reply) => {
    const given = withIntegers(request.query as Record<string, unknown>, integers);
    const { details, value } = await inspect(request, 'query', schema, given, question.check);
    if (details.length > 0) throw refusal(details);
    return question.answer(value, callOf(request, reply, question.params));
  });
}

/**
 * A query holds texts; only what is plainly a whole number becomes one. The validator itself converts nothing, so
 * ` 5`, `1e2`, `0x10` and an empty text are no numbers.
 */
function withIntegers(query: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const values = { ...query };
  for (const name of names) {
    const value = values[name];
    if (typeof value === 'string' && /^-?\d{1,15}$/.test(value)) values[name] = Number(value);
  }
  return values;
}
