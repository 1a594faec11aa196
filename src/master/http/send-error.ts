import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../common/logger.ts';
import { failure } from './envelope.ts';
import { reportedError } from './reported-error.ts';

/** The one error handler: details go to the log, a safe envelope to the client. */
export function sendError(
  logger: Logger,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const reported = reportedError(error);
  const where = { method: request.method, route: request.routeOptions.url ?? '(none)' };
  if (reported.code === 'internal') logger.error({ ...where, err: error }, 'request failed');
  else logger.debug({ ...where, code: reported.code }, reported.message);
  if (reported.retryAfter !== undefined) reply.header('retry-after', String(reported.retryAfter));
  if (reported.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  reply.code(reported.status).type('application/json; charset=utf-8').send(failure(reported));
}
