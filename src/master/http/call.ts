import type { Static, TObject } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '../../common/errors.ts';

/** The request that a question or a command came with. */
export interface Call<P extends TObject = TObject> {
  readonly request: FastifyRequest;
  /** Of the path. */
  readonly params: Static<P>;
  readonly reply: FastifyReply;
  /** Aborted when the client hangs up: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Throws `not_found` where the path names something that cannot be. */
export function callOf<P extends TObject>(
  request: FastifyRequest,
  reply: FastifyReply,
  params: P | undefined,
): Call<P> {
  if (params !== undefined && !request.compileValidationSchema(params)(request.params)) {
    throw new CodedError('not_found', 'there is nothing of that name');
  }
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new CodedError('timeout', 'the client hung up'));
  });
  return { request, reply, params: request.params as Static<P>, signal: controller.signal };
}
