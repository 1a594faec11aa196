import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CoreSource } from './core-source.ts';
import { type Dialect, VERSIONS } from './dialect.ts';

const HELLO: Record<Dialect, string> = {
  mihomo: 'mihomo',
  old: 'mihomo',
  fork: 'mihomo',
  'sing-box': 'clash',
  'clash-rs': 'clash-rs',
};

/** Plain HTTP requests, the secret already shown. */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  source: CoreSource,
): void {
  const { method = 'GET' } = request;
  const path = url.pathname.replace(/(.)\/$/, '$1');
  const route = `${method} ${path}`;
  if (path.startsWith('/connections/') && method === 'DELETE') {
    deleteOne(response, decodeURIComponent(path.slice('/connections/'.length)), source);
    return;
  }
  switch (route) {
    case 'GET /':
      json(response, 200, { hello: HELLO[source.dialect] });
      return;
    case 'GET /version':
      json(response, 200, VERSIONS[source.dialect]);
      return;
    case 'GET /connections':
      response.writeHead(200, { 'content-type': 'application/json' }).end(source.frame());
      return;
    case 'DELETE /connections':
      source.closeAll();
      deleted(response, source.dialect);
      return;
    case 'GET /configs':
      json(response, 200, { 'mixed-port': 7890, mode: 'rule', 'log-level': 'info', ipv6: false });
      return;
    case 'PUT /configs':
      source.reload();
      response.writeHead(204).end();
      return;
    case 'PATCH /configs':
      response.writeHead(204).end();
      return;
    default:
      json(response, 404, { message: 'Resource not found' });
  }
}

/** Always 204 in Mihomo, also for an id that nobody knows. */
function deleteOne(response: ServerResponse, id: string, source: CoreSource): void {
  if (source.dialect === 'clash-rs' && !/^[0-9a-f-]{36}$/i.test(id)) {
    response.writeHead(400).end('bad uuid');
    return;
  }
  source.close(id);
  deleted(response, source.dialect);
}

function deleted(response: ServerResponse, dialect: Dialect): void {
  if (dialect === 'clash-rs') response.writeHead(200).end('closed');
  else response.writeHead(204).end();
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
