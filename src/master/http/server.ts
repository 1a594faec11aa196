import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Component } from '../../common/component.ts';
import { listenError } from '../../common/listen-error.ts';
import { isReachable } from './address.ts';
import { createApp } from './app.ts';
import type { HttpDeps, HttpOptions } from './deps.ts';
import { MAX_CONNECTIONS } from './limits.ts';

/** How long requests in flight may go on while stopping, milliseconds. */
const GRACE_MS = 3000;

/** The API on a socket. */
export class HttpServer implements Component {
  readonly name = 'http';
  readonly #deps: HttpDeps;
  readonly #options: HttpOptions;
  #app: FastifyInstance | null = null;

  constructor(deps: HttpDeps, options: HttpOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Throws `address_in_use` or `address_unusable`. */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    const app = createApp(this.#deps, this.#options);
    app.server.maxConnections = MAX_CONNECTIONS;
    this.#app = app;
    try {
      await app.listen({ host, port });
    } catch (error) {
      throw listenError(error, host, port);
    }
    this.#deps.logger.info({ host, port: this.port }, 'listening');
    if (this.#options.apiToken === null && !this.#deps.tokens.kinds.any && isReachable(host)) {
      this.#deps.logger.warn(
        'no --api-token and no tokens: everybody in the local network may read the history and deliver data',
      );
    }
  }

  async stop(): Promise<void> {
    const app = this.#app;
    if (app === null) return;
    this.#app = null;
    // A client that never ends its request must not keep the process from its last flush.
    const timer = setTimeout(() => app.server.closeAllConnections(), GRACE_MS);
    try {
      await app.close();
    } finally {
      clearTimeout(timer);
    }
  }

  /** The port listened on: that of the flag, or the one the system chose for 0. */
  get port(): number {
    const address = this.#app?.server.address() as AddressInfo | null | undefined;
    return address?.port ?? this.#options.port;
  }
}
