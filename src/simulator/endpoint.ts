import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { mayPass } from './authentication.ts';
import type { CoreSource } from './core-source.ts';
import { Feed, type Troubles } from './feed.ts';
import { paceOf } from './interval.ts';
import { Listeners, type ListenersOptions } from './listeners.ts';
import { answer, json } from './routes.ts';
import { asksForWebSocket, handshakeProblem, switchingProtocols } from './websocket.ts';

export interface EndpointOptions extends ListenersOptions {
  /** Asked for on TCP, never on the Unix socket; `''` (default): nothing is asked. */
  secret?: string;
  /** Feeds get messages from `broadcast` only, not at their interval. */
  manual?: boolean;
  /** Whether a new feed gets a message at once, default true. */
  greets?: boolean;
}

/** A ready-made answer, as of a reverse proxy in front of the core. */
export interface CannedAnswer {
  status: number;
  body: string;
  contentType: string;
}

/** The controller of a core on real sockets: HTTP and WebSocket on one port, with everything that can go wrong. */
export class Endpoint {
  secret: string;
  /** Given to every request in place of the core's own answer. */
  canned: CannedAnswer | null = null;
  /** So many of the next connections to the feed are accepted and dropped at once. */
  dropConnects = 0;
  readonly troubles: Troubles = { stalled: false, dripBytesPerSecond: null, delayMs: 0 };
  readonly listeners: Listeners;
  readonly feeds = new Set<Feed>();
  readonly #source: CoreSource;
  readonly #manual: boolean;
  readonly #greets: boolean;
  #held: (() => void)[] = [];

  constructor(source: CoreSource, options: EndpointOptions = {}) {
    this.#source = source;
    this.secret = options.secret ?? '';
    this.#manual = options.manual ?? false;
    this.#greets = options.greets ?? true;
    this.listeners = new Listeners(options, (server, isUnix) => this.#prepare(server, isUnix));
  }

  /** One message to every feed that is due any. */
  broadcast(): void {
    for (const feed of this.feeds) if (feed.ticking) feed.offer(() => this.#source.frame());
  }

  stall(): void {
    this.troubles.stalled = true;
  }

  /** Goes on, and answers the requests that came in meanwhile. */
  unstall(): void {
    this.troubles.stalled = false;
    for (const go of this.#held.splice(0)) go();
  }

  #prepare(server: Server, isUnix: boolean): void {
    server.on('request', (request, response) => {
      this.#whenMoving(() => this.#respond(request, response, isUnix));
    });
    server.on('upgrade', (request, socket) => {
      socket.on('error', () => socket.destroy());
      this.#whenMoving(() => {
        if (asksForWebSocket(request) && this.canned === null) this.#upgrade(request, socket, isUnix);
        else this.#respond(request, bareResponse(request, socket), isUnix);
      });
    });
  }

  #whenMoving(go: () => void): void {
    if (this.troubles.stalled) this.#held.push(go);
    else go();
  }

  #respond(request: IncomingMessage, response: ServerResponse, isUnix: boolean): void {
    response.setHeader('date', new Date(this.#source.clock()).toUTCString());
    if (this.canned !== null) {
      response.writeHead(this.canned.status, { 'content-type': this.canned.contentType });
      response.end(this.canned.body);
      return;
    }
    const url = urlOf(request);
    // An upgrade that Node did not take for one: the header is right, the rest of the handshake is not.
    const webSocket = asksForWebSocket(request);
    if (!this.#mayPass(request, url, isUnix, webSocket)) json(response, 401, { message: 'Unauthorized' });
    else if (webSocket && isFeed(url)) refuse(request, response);
    else answer(request, response, url, this.#source);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, isUnix: boolean): void {
    const url = urlOf(request);
    const allowed = this.#mayPass(request, url, isUnix, true);
    if (!allowed || !isFeed(url) || handshakeProblem(request) !== null) {
      this.#respond(request, bareResponse(request, socket), isUnix);
      return;
    }
    if (this.dropConnects > 0) {
      this.dropConnects--;
      socket.destroy();
      return;
    }
    this.#feed(socket, request, url);
  }

  #feed(socket: Duplex, request: IncomingMessage, url: URL): void {
    const feed = new Feed(socket, this.troubles);
    socket.write(switchingProtocols(request));
    const pace = paceOf(this.#source.dialect, url.searchParams.get('interval'));
    const frame = () => this.#source.frame();
    this.feeds.add(feed);
    feed.onGone(() => this.feeds.delete(feed));
    if (this.#greets && (pace.kind === 'every' || pace.kind === 'once')) feed.offer(frame);
    if (pace.kind === 'drop') {
      if (pace.after === 'message') feed.offer(frame);
      setImmediate(() => socket.end(() => socket.destroy()));
    }
    feed.ticking = pace.kind === 'every';
    if (pace.kind === 'every' && !this.#manual) feed.every(pace.ms, frame);
  }

  #mayPass(request: IncomingMessage, url: URL, isUnix: boolean, webSocket: boolean): boolean {
    const secret = isUnix ? '' : this.secret;
    return mayPass(request, url, { secret, webSocket, dialect: this.#source.dialect });
  }
}

function isFeed(url: URL): boolean {
  return url.pathname === '/connections' || url.pathname === '/connections/';
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://core');
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const { status, message } = handshakeProblem(request) ?? { status: 400, message: 'bad handshake' };
  json(response, status, { message });
}

/** Node hands every upgrade to one event; what is none for the core gets a plain answer on the same socket. */
function bareResponse(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.on('finish', () => socket.end());
  return response;
}
