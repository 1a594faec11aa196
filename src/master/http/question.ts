import type { Static, TObject } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CodedError, type ErrorDetail } from '../../common/errors.ts';
import { refusal } from '../query/filter-text.ts';
import type { Failure, Success } from './envelope.ts';
import { problemsOf } from './problems.ts';
import type { Scope } from './scope.ts';

/** The request that a question came with. */
export interface Call {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Aborted when the client hangs up: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** A GET with parameters. */
export interface Question<S extends TObject, T> {
  readonly path: string;
  readonly scope: Scope;
  /** Closed (`additionalProperties: false`): what it does not name is a mistake, never ignored. */
  readonly query: S;
  /** What no schema can say, about several parameters together; sees only values that are valid by themselves. */
  check?(query: Partial<Static<S>>): readonly ErrorDetail[] | Promise<readonly ErrorDetail[]>;
  answer(query: Static<S>, call: Call): Promise<Success<T> | Failure>;
}

/** Registers it so that all problems of a query are told at once, those of the schema and those of `check`. */
export function addQuestion<S extends TObject, T>(app: FastifyInstance, question: Question<S, T>): void {
  const known = Object.keys(question.query.properties);
  const integers = known.filter((name) => question.query.properties[name]?.type === 'integer');
  app.get(
    question.path,
    {
      config: { scope: question.scope },
      schema: { querystring: question.query },
      attachValidation: true,
      preValidation: (request, _reply, done) => {
        readIntegers(request.query as Record<string, unknown>, integers);
        done();
      },
    },
    async (request, reply) => {
      const values = request.query as Record<string, unknown>;
      const details = problemsOf(request.validationError?.validation ?? [], values, known);
      const valid = { ...values };
      for (const { field } of details) delete valid[field];
      const told = new Set(details.map(({ field }) => field));
      const together = (await question.check?.(valid as Partial<Static<S>>)) ?? [];
      details.push(...together.filter(({ field }) => !told.has(field)));
      if (details.length > 0) throw refusal(details);
      return question.answer(valid as Static<S>, { request, reply, signal: signalOf(reply) });
    },
  );
}

function signalOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new CodedError('timeout', 'the client hung up'));
  });
  return controller.signal;
}

/**
 * A query holds texts; only what is plainly a whole number becomes one. The validator itself converts nothing, so
 * ` 5`, `1e2`, `0x10` and an empty text are no numbers.
 */
function readIntegers(values: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const value = values[name];
    if (typeof value === 'string' && /^-?\d{1,15}$/.test(value)) values[name] = Number(value);
  }
}
