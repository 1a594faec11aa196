import type { FastifyError } from 'fastify';
import { CodedError, type ErrorCode } from '../../common/errors.ts';

/** Fastify's own failures in the words of the catalogue. Their texts are ours: they never quote the request. */
const FASTIFY: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'the body is too large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media', 'only application/json is taken'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad_request', 'the body is not as long as Content-Length says'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['body_invalid', 'the body is empty'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['body_invalid', 'the body is not JSON'],
  FST_ERR_BAD_URL: ['bad_request', 'the path holds a malformed escape'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'there is nothing at this path'],
};

/**
 * What is told to the client: coded errors as they are, Fastify's in our words, and of anything else nothing but
 * that it happened (the log has the rest).
 */
export function reportedError(error: unknown): CodedError {
  // A code that never leaves the process (status 0: a file of the master) is an internal failure to a client.
  if (error instanceof CodedError && error.status !== 0) return error;
  const known = FASTIFY[(error as Partial<FastifyError>)?.code ?? ''];
  if (known !== undefined) return new CodedError(known[0], known[1], { cause: error });
  if (error instanceof SyntaxError && (error as Partial<FastifyError>).statusCode === 400) {
    return new CodedError('body_invalid', 'the body is not JSON', { cause: error });
  }
  return new CodedError('internal', 'the master failed on this request', { cause: error });
}
