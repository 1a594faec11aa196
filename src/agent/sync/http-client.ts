import type { Agent, AgentOptions, IncomingHttpHeaders } from 'node:http';
import { http, https } from '../built-in.ts';

/** Longest answer that is read; a sync answer names at most every row of its batch. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Longest that a connection may take to come about, TLS included. */
const CONNECT_MS = 15_000;

/** Idle milliseconds after which the kernel probes the peer: routers forget connections that say nothing. */
const PROBE_MS = 30_000;

/** Idle milliseconds after which a connection is not used again, where the server says nothing of it. */
const KEPT_MS = 4000;
/** So much before the server would end an idle connection it is not used again: a request must not meet its end. */
const MARGIN_MS = 2000;

export interface HttpClientOptions {
  secure: boolean;
  /** Certificates (PEM) that are trusted instead of the system's. */
  ca?: string | undefined;
  connectMs?: number;
}

export interface HttpPost {
  headers: Record<string, string>;
  body: Buffer;
  /** For the whole: connection, request, answer. */
  timeoutMs: number;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/**
 * Posts over one connection, which is kept between requests that follow each other soon. A redirect is an answer like
 * any other, and proxies of the environment are not used: what goes to a master goes to the address that was given.
 */
export class HttpClient {
  readonly #agent: Agent;
  readonly #node: typeof http | ReturnType<typeof https>;
  readonly #connected: 'connect' | 'secureConnect';
  readonly #connectMs: number;
  /** Ends what is under way. */
  readonly #pending = new Set<(error: Error) => void>();
  /** On the monotonic clock. */
  #keptUntil = 0;
  #closed = false;

  constructor({ secure, ca, connectMs }: HttpClientOptions) {
    const options: AgentOptions = { keepAlive: true, keepAliveMsecs: PROBE_MS, maxSockets: 1 };
    this.#node = secure ? https() : http;
    this.#connected = secure ? 'secureConnect' : 'connect';
    this.#agent = new this.#node.Agent(ca === undefined ? options : { ...options, ca });
    this.#connectMs = connectMs ?? CONNECT_MS;
  }

  /** Rejects when there is no complete answer, whatever the reason. */
  post(url: string, { headers, body, timeoutMs }: HttpPost): Promise<HttpAnswer> {
    if (this.#closed) return Promise.reject(new Error('closed'));
    // Ends idle connections; the agent goes on with a new one.
    if (this.#pending.size === 0 && performance.now() >= this.#keptUntil) this.#agent.destroy();
    return new Promise((resolve, reject) => {
      const call = this.#node.request(url, {
        method: 'POST',
        agent: this.#agent,
        headers: { ...headers, 'content-length': String(body.length) },
      });
      /** Whether it was still under way. */
      const over = () => {
        clearTimeout(timer);
        clearTimeout(connecting);
        return this.#pending.delete(fail);
      };
      const fail = (error: Error) => {
        if (!over()) return;
        reject(error);
        call.destroy();
      };
      const late = (what: string, ms: number) => fail(new Error(`no ${what} within ${ms} ms`));
      const timer = setTimeout(() => late('complete answer', timeoutMs), timeoutMs);
      let connecting: NodeJS.Timeout | undefined;
      this.#pending.add(fail);
      call.on('error', fail);
      call.on('close', () => fail(new Error('the connection ended')));
      call.on('socket', (socket) => {
        if (!socket.connecting) return;
        connecting = setTimeout(() => late('connection', this.#connectMs), this.#connectMs);
        socket.once(this.#connected, () => clearTimeout(connecting));
      });
      call.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('error', fail);
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) fail(new Error('the answer is too long'));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          over();
          this.#keptUntil = performance.now() + keptMs(response.headers['keep-alive']);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks, size),
          });
        });
      });
      call.end(body);
    });
  }

  /** Ends every connection; a request under way fails. */
  close(): void {
    this.#closed = true;
    for (const fail of [...this.#pending]) fail(new Error('closed'));
    this.#agent.destroy();
  }
}

/** Milliseconds for which a connection may be used again, by the server's `Keep-Alive: timeout=72`. */
function keptMs(hint: string | string[] | undefined): number {
  const seconds = /(?:^|,)\s*timeout=(\d+)/i.exec(String(hint))?.[1];
  return seconds === undefined ? KEPT_MS : Number(seconds) * 1000 - MARGIN_MS;
}
