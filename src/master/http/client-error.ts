import type { Socket } from 'node:net';
import { CodedError, type ErrorCode } from '../../common/errors.ts';
import { failure } from './envelope.ts';

const REASONS: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['timeout', 'Request Timeout', 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'Request Header Fields Too Large', 'the headers are too large'],
};

/** Answers what never became a request (malformed, too slow, headers too large) in the envelope, and hangs up. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, reason, message] = REASONS[error.code ?? ''] ?? [
    'bad_request',
    'Bad Request',
    'this is not a well-formed HTTP request',
  ];
  const reported = new CodedError(code, message);
  const body = JSON.stringify(failure(reported));
  const head = [
    `HTTP/1.1 ${reported.status} ${reason}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
