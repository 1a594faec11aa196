import type { Static, TObject } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CodedError } from '../../common/errors.ts';
import { refusal } from '../query/filter-text.ts';
import { type Call, callOf } from './call.ts';
import type { Described } from './contract.ts';
import type { Failure, Success } from './envelope.ts';
import { type Check, inspect, isObject } from './input.ts';
import { NoQuery } from './parameters.ts';
import type { Scope } from './scope.ts';
import { checkCharset, isGzip } from './sync-body.ts';

/** A request with a JSON body: something to be done, or a question too large for a URL. */
export interface Command<S extends TObject, T> extends Described {
  readonly path: string;
  readonly scope: Scope;
  /** Closed at every level (`additionalProperties: false`): what it does not name is a mistake, never ignored. */
  readonly body: S;
  /** What no schema can say; sees only those fields of the body that are valid by themselves. */
  readonly check?: Check<S>;
  answer(body: Static<S>, call: Call): Promise<Success<T> | Failure>;
}

/**
 * Registers a POST that takes `application/json` of at most 64 KiB, and tells all problems of a body at once, each by
 * the path of its field: `queries[1].group_by[0]`. A parameter in the URL is one of them.
 */
export function addCommand<S extends TObject, T>(app: FastifyInstance, command: Command<S, T>): void {
  const { path, scope, summary, description, returns, errors, body } = command;
  const contract = { summary, returns, body, ...(description && { description }), ...(errors && { errors }) };
  app.post(path, { config: { scope, contract }, onRequest: refuseEncoded }, async (request, reply) => {
    if (!isObject(request.body)) throw new CodedError('body_invalid', 'the body is no JSON object');
    const parameters = await inspect(request, 'query', NoQuery, request.query);
    const given = await inspect(request, 'body', body, request.body, command.check);
    const details = [...parameters.details, ...given.details];
    if (details.length > 0) throw refusal(details);
    return command.answer(given.value, callOf(request, reply));
  });
}

/** Only syncs are large enough to be compressed; what is compressed here would be told to be no JSON. */
async function refuseEncoded(request: FastifyRequest): Promise<void> {
  checkCharset(request.headers['content-type']);
  if (!isGzip(request.headers['content-encoding'])) return;
  throw new CodedError('unsupported_media', 'a body is compressed for /sync only');
}
