import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';

export interface ListenersOptions {
  /** Address of the TCP port, default 127.0.0.1. */
  host?: string;
  /** TCP port, 0 (default) for any free one, `null` for none. */
  port?: number | null;
  /** Path of a Unix socket to listen on as well. */
  socketPath?: string;
  /** PEM; the TCP port speaks HTTPS then. */
  tls?: { key: string; cert: string };
}

/** The sockets of an endpoint: opened, closed and opened again at the same addresses. */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #prepare: (server: Server, isUnix: boolean) => void;
  readonly #sockets = new Set<Socket>();
  #servers: Server[] = [];
  #port = 0;

  constructor(options: ListenersOptions, prepare: (server: Server, isUnix: boolean) => void) {
    this.#options = options;
    this.#prepare = prepare;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://${this.#options.host ?? '127.0.0.1'}:${this.#port}`;
  }

  async open(): Promise<void> {
    const { host = '127.0.0.1', port = 0, socketPath, tls } = this.#options;
    if (port !== null) {
      const server = tls ? createTlsServer({ ...tls, ALPNProtocols: ['http/1.1'] }) : createServer();
      // The port of the first time: clients come back to it.
      await this.#listen(server, false, { host, port: this.#port || port });
      this.#port = (server.address() as AddressInfo).port;
    }
    if (socketPath !== undefined) await this.#listen(createServer(), true, { path: socketPath });
  }

  /** Refuses new connections and ends all there are, without a word to them. */
  async close(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  /** Ends all connections with a TCP reset. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #listen(server: Server, isUnix: boolean, where: ListenOptions): Promise<void> {
    this.#prepare(server, isUnix);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, () => {
        server.off('error', reject);
        resolve();
      });
    });
  }
}
