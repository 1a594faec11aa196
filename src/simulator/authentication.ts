import type { IncomingMessage } from 'node:http';
import type { Dialect } from './dialect.ts';

/**
 * Whether a request shows the secret. For a WebSocket a token in the query, if there is one, decides alone: a right
 * header does not save it. On plain HTTP the token means nothing.
 */
export function mayPass(
  request: IncomingMessage,
  url: URL,
  options: { secret: string; webSocket: boolean; dialect: Dialect },
): boolean {
  const { secret, webSocket, dialect } = options;
  if (secret === '') return true;
  const token = webSocket ? (url.searchParams.get('token') ?? '') : '';
  const header = request.headers.authorization ?? '';
  const byHeader = header === `Bearer ${secret}`;
  if (dialect === 'clash-rs') return byHeader || token === secret;
  return token === '' ? byHeader : token === secret;
}
