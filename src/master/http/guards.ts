import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CodedError } from '../../common/errors.ts';
import type { AddressTrust } from './address-trust.ts';
import { Authenticator } from './authenticator.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import type { HttpDeps, HttpOptions } from './deps.ts';
import { HostGuard } from './host-guard.ts';
import { OriginGuard } from './origin-guard.ts';
import type { RouteRegistry } from './route-registry.ts';
import { type Grant, NOBODY } from './scope.ts';
import type { Ticket, Tickets } from './tickets.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the caller of this request may do. */
    grant: Grant;
    /** What its URL stands for. */
    ticket: Ticket | null;
  }
  interface FastifyContextConfig {
    tickets?: true;
  }
}

/** Sent with every answer, errors included; `no-store` because answers are browsing history. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

interface Guarded {
  readonly registry: RouteRegistry;
  readonly connections: ConnectionLimit;
  readonly trust: AddressTrust;
  readonly tickets: Tickets;
}

/**
 * What every request passes before its body is read: headers, origin, known path, then who asks and what the route
 * wants of them, and the Host of those who are served for their address.
 */
export function guardRequests(
  app: FastifyInstance,
  deps: HttpDeps,
  options: HttpOptions,
  { registry, connections, trust, tickets }: Guarded,
): void {
  const { apiToken } = options;
  const authenticator = new Authenticator({
    apiToken,
    tokens: deps.tokens,
    trust,
    now: deps.now ?? Date.now,
  });
  const hosts = new HostGuard(options.host, options.allowHosts);
  const origins = new OriginGuard(options.trustedOrigins);
  app.decorateRequest('grant');
  app.decorateRequest('ticket', null);

  app.addHook('onRequest', (request, reply, done) => {
    request.grant = NOBODY;
    reply.headers(SECURITY_HEADERS);
    origins.check(request, reply);
    const methods = request.is404 ? registry.methodsOf(pathOf(request)) : [];
    if (origins.preflight(request, reply, methods)) {
      reply.code(204).send();
      return;
    }
    if (request.is404) throw unknownRoute(methods, reply);
    const scope = request.routeOptions.config.scope;
    if (scope === undefined) throw new Error(`route ${request.routeOptions.url} declares no scope`);
    const ticket = ticketOf(request);
    const taken = ticket === undefined ? undefined : tickets.take(ticket);
    if (taken === null)
      throw new CodedError('not_found', 'there is no such ticket: each is good once, for 30 s');
    // What its maker may do now: a token that was revoked since takes its tickets along.
    const authorization = taken === undefined ? request.headers.authorization : taken.authorization;
    const grant = authenticator.authorize(scope, request.ip, authorization);
    request.ticket = taken ?? null;
    // A page whose name was pointed at this machine has its address, and no token.
    if (grant.by === 'address') hosts.check(request.headers.host);
    if (grant.by === 'token') connections.trust(request.raw.socket);
    request.grant = grant;
    done();
  });

  app.addHook('onResponse', (request, reply, done) => {
    deps.logger.debug(
      {
        method: request.method,
        route: request.routeOptions.url ?? '(none)',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    );
    done();
  });
}

function ticketOf({ routeOptions, query }: FastifyRequest): string | undefined {
  if (routeOptions.config.tickets !== true) return undefined;
  const { ticket } = query as { ticket?: unknown };
  return typeof ticket === 'string' ? ticket : undefined;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

function unknownRoute(
  methods: string[],
  reply: { header(name: string, value: string): unknown },
): CodedError {
  if (methods.length === 0) return new CodedError('not_found', 'there is nothing at this path');
  reply.header('allow', methods.join(', '));
  return new CodedError('method_not_allowed', `this path has ${methods.join(', ')} only`);
}
