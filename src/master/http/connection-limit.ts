import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clientKey } from './address.ts';

/** A connection that has shown no valid token yet. */
interface Unproven {
  client: string;
  /** Requests under way on it. */
  requests: number;
}

/**
 * Bounds the open connections of each client (an IPv6 client is its /64) that have not shown a valid token, so that one
 * address cannot take all that the server has. When there are too many, the one that is idle for longest is closed, one
 * that never sent a request included: whoever only holds connections open keeps no neighbour behind the same address
 * out. If a request is under way on each of them, it is the new one that is closed.
 */
export class ConnectionLimit {
  readonly #most: number;
  readonly #isExempt: (address: string) => boolean;
  readonly #unproven = new Map<Socket, Unproven>();
  /** By client, in the order in which they became idle. */
  readonly #clients = new Map<string, Set<Socket>>();

  /** `isExempt`: addresses without a bound, for what comes from there may be of anybody. */
  constructor(most: number, isExempt: (address: string) => boolean) {
    this.#most = most;
    this.#isExempt = isExempt;
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#opened(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#asked(request.socket, response);
    });
  }

  /** It has shown a valid token: it counts no longer. */
  trust(socket: Socket): void {
    this.#forget(socket);
  }

  #forget(socket: Socket): void {
    const known = this.#unproven.get(socket);
    if (known === undefined) return;
    this.#unproven.delete(socket);
    const sockets = this.#clients.get(known.client);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#clients.delete(known.client);
  }

  #opened(socket: Socket): void {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || this.#isExempt(remoteAddress)) return;
    const client = clientKey(remoteAddress);
    const sockets = this.#clients.get(client) ?? new Set();
    if (sockets.size >= this.#most && !this.#closeIdle(sockets)) {
      socket.destroy();
      return;
    }
    this.#clients.set(client, sockets.add(socket));
    this.#unproven.set(socket, { client, requests: 0 });
    socket.once('close', () => this.#forget(socket));
  }

  #closeIdle(sockets: ReadonlySet<Socket>): boolean {
    for (const socket of sockets) {
      if (this.#unproven.get(socket)?.requests !== 0) continue;
      this.#forget(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #asked(socket: Socket, response: ServerResponse): void {
    const known = this.#unproven.get(socket);
    if (known === undefined) return;
    known.requests++;
    response.once('close', () => {
      known.requests--;
      const sockets = this.#clients.get(known.client);
      // Last in the order, for it is idle since now.
      if (known.requests === 0 && sockets?.delete(socket)) sockets.add(socket);
    });
  }
}
