import type { Static, TObject } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CodedError, type ErrorDetail } from '../../common/errors.ts';
import { refusal } from '../query/filter-text.ts';
import { type Call, callOf } from './call.ts';
import { contractOf, type Described } from './contract.ts';
import type { Failure, Success } from './envelope.ts';
import { type Check, inspect, isObject } from './input.ts';
import { NoQuery } from './parameters.ts';
import type { Scope } from './scope.ts';
import { checkCharset, isGzip } from './sync-body.ts';

/** Something to be done, or a question too large for a URL. */
export interface Command<S extends TObject, T, P extends TObject = TObject> extends Described {
  /** Default: POST. */
  readonly method?: 'POST' | 'DELETE';
  readonly path: string;
  readonly scope: Scope;
  /** Of the path, each a text; what does not fit is `not_found`. */
  readonly params?: P;
  /**
   * Closed at every level (`additionalProperties: false`): what it does not name is a mistake, never ignored. Absent
   * where there is nothing to say.
   */
  readonly body?: S;
  /** What no schema can say; sees only those fields of the body that are valid by themselves. */
  readonly check?: Check<S>;
  /** The answer; or the reply, where it was sent in another form. */
  answer(body: Static<S>, call: Call<P>): Promise<Success<T> | Failure | FastifyReply>;
}

/**
 * Registers a command that takes `application/json` of at most 64 KiB, and tells all problems of a body at once, each
 * by the path of its field: `queries[1].group_by[0]`. A parameter in the URL is one of them.
 */
export function addCommand<S extends TObject, T, P extends TObject>(
  app: FastifyInstance,
  command: Command<S, T, P>,
): void {
  const { method = 'POST', path: url, scope, params } = command;
  const config = { scope, contract: contractOf({ ...command, query: NoQuery }) };
  app.route({
    method,
    url,
    config,
    onRequest: refuseEncoded,
    handler: async (request, reply) => {
      const parameters = await inspect(request, 'query', NoQuery, request.query);
      const body = await bodyOf(command, request);
      const details = [...parameters.details, ...body.details];
      if (details.length > 0) throw refusal(details);
      return command.answer(body.value, callOf(request, reply, params));
    },
  });
}

async function bodyOf<S extends TObject>(
  { body, check }: Pick<Command<S, unknown>, 'body' | 'check'>,
  request: FastifyRequest,
): Promise<{ details: ErrorDetail[]; value: Static<S> }> {
  if (body === undefined) {
    if (request.body === undefined) return { details: [], value: {} as Static<S> };
    throw new CodedError('body_invalid', 'this takes no body');
  }
  if (!isObject(request.body)) throw new CodedError('body_invalid', 'the body is no JSON object');
  return await inspect(request, 'body', body, request.body, check);
}

/** Only syncs are large enough to be compressed; what is compressed here would be told to be no JSON. */
async function refuseEncoded(request: FastifyRequest): Promise<void> {
  checkCharset(request.headers['content-type']);
  if (!isGzip(request.headers['content-encoding'])) return;
  throw new CodedError('unsupported_media', 'a body is compressed for /sync only');
}
