import type { FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '../../common/errors.ts';

/** The request that a question or a command came with. */
export interface Call {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Aborted when the client hangs up: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export function callOf(request: FastifyRequest, reply: FastifyReply): Call {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new CodedError('timeout', 'the client hung up'));
  });
  return { request, reply, signal: controller.signal };
}
