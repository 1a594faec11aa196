import fastify, { type FastifyInstance } from 'fastify';
import { CodedError } from '../../common/errors.ts';
import { classifyAddress, isReachable } from './address.ts';
import { AddressTrust } from './address-trust.ts';
import { answerClientError } from './client-error.ts';
import { ConnectionLimit } from './connection-limit.ts';
import type { HttpDeps, HttpOptions, RouteDeps } from './deps.ts';
import { guardRequests, SECURITY_HEADERS } from './guards.ts';
import {
  BODY_TIMEOUT_MS,
  HEADER_TIMEOUT_MS,
  MAX_BODY,
  MAX_PARAM,
  MAX_SYNC_MEMORY,
  MAX_SYNCS,
  MAX_UNPROVEN,
} from './limits.ts';
import { FORMATS } from './parameters.ts';
import { RouteRegistry } from './route-registry.ts';
import { agentsRoutes } from './routes/agents.ts';
import { backupRoute } from './routes/backup.ts';
import { connectionsRoutes } from './routes/connections.ts';
import { exportRoutes } from './routes/export.ts';
import { filterOptionsRoute } from './routes/filter-options.ts';
import { healthRoute } from './routes/health.ts';
import { openApiRoute } from './routes/openapi.ts';
import { queryRoutes } from './routes/query.ts';
import { readyRoute } from './routes/ready.ts';
import { sessionRoute } from './routes/session.ts';
import { statsRoute } from './routes/stats.ts';
import { syncRoutes } from './routes/sync.ts';
import { tokensRoutes } from './routes/tokens.ts';
import { verifyRoute } from './routes/verify.ts';
import { sendError } from './send-error.ts';
import { SyncSlots } from './sync-slots.ts';
import { Tickets } from './tickets.ts';

declare module 'fastify' {
  interface FastifyInstance {
    registry: RouteRegistry;
  }
}

/** The API as an application that does not listen yet: tests inject requests, `HttpServer` gives it a socket. */
export function createApp(deps: HttpDeps, options: HttpOptions): FastifyInstance {
  const app = fastify({
    // Fastify's own request log holds whole URLs; ours (`guards.ts`) holds the route and no query string.
    logger: false,
    trustProxy: false,
    bodyLimit: MAX_BODY,
    requestTimeout: options.bodyTimeoutMs ?? BODY_TIMEOUT_MS,
    http: {
      headersTimeout: Math.min(HEADER_TIMEOUT_MS, options.bodyTimeoutMs ?? BODY_TIMEOUT_MS),
      // How often Node looks for requests past their time; its default of 30 s would make 10 s mean 40.
      connectionsCheckingInterval: 1000,
    },
    routerOptions: { maxParamLength: MAX_PARAM },
    ajv: {
      customOptions: {
        allErrors: true,
        // Problems are told in words that need the value and what stands around it.
        verbose: true,
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        formats: FORMATS,
      },
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) =>
      sendError(deps.logger, error, request, reply.headers(SECURITY_HEADERS)),
    forceCloseConnections: 'idle',
  });
  // A page may send text/plain to any origin without asking; application/json it may not.
  app.removeContentTypeParser('text/plain');
  const registry = new RouteRegistry();
  app.decorate('registry', registry);
  app.addHook('onRoute', (route) => registry.add(route));
  app.setErrorHandler((error, request, reply) => sendError(deps.logger, error, request, reply));
  const isLoopback = (address: string): boolean => classifyAddress(address) === 'loopback';
  const connections = new ConnectionLimit(MAX_UNPROVEN, options.isExempt ?? isLoopback);
  connections.watch(app.server);
  const trust = new AddressTrust(options.apiToken, deps.tokens);
  const tickets = new Tickets(deps.now ?? Date.now);
  guardRequests(app, deps, options, { registry, connections, trust, tickets });
  // Never reached: the guard answers unknown paths before their bodies are read.
  app.setNotFoundHandler(() => {
    throw new CodedError('not_found', 'there is nothing at this path');
  });
  registerRoutes(app, { ...deps, trust, tickets, reachable: isReachable(options.host) });
  return app;
}

const V1 = '/api/v1';

/** Everything there is. Syncs stand apart, for their bodies are collected unparsed. */
function registerRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.register((part, _options, done) => {
    syncRoutes(part, deps.ingest, new SyncSlots(MAX_SYNCS, MAX_SYNC_MEMORY));
    done();
  });
  app.register(
    (part, _options, done) => {
      healthRoute(part);
      openApiRoute(part);
      for (const add of [
        statsRoute,
        connectionsRoutes,
        exportRoutes,
        agentsRoutes,
        filterOptionsRoute,
        queryRoutes,
        readyRoute,
        sessionRoute,
        tokensRoutes,
        verifyRoute,
        backupRoute,
      ]) {
        add(part, deps);
      }
      done();
    },
    { prefix: V1 },
  );
}
