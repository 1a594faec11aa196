import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault = 'request' | 'answer';

/**
 * Stands between agents and master and passes everything on, until it is told to lose something: a whole request
 * that has come in (`request`), or an answer of the master (`answer`). Then it tells so, and cuts the connection.
 */
export class Wire {
  readonly #server: Server;
  readonly #target: () => number;
  #port = 0;
  #fault: { kind: Fault; happened: () => void } | null = null;

  /** `target`: the master's port on 127.0.0.1. */
  constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((incoming, outgoing) => {
      this.#pass(incoming, outgoing).catch(() => incoming.socket.destroy());
    });
  }

  /** At the port of the first time, so that agents find it again. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** As without a master: connections end, and new ones are refused. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** `happened` is called once, at that very moment; until then nothing else is lost. */
  lose(kind: Fault, happened: () => void): void {
    this.#fault = { kind, happened };
  }

  heal(): void {
    this.#fault = null;
  }

  #strikes(kind: Fault): boolean {
    if (this.#fault?.kind !== kind) return false;
    const { happened } = this.#fault;
    this.#fault = null;
    happened();
    return true;
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bytesOf(incoming);
    if (this.#strikes('request')) {
      incoming.socket.destroy();
      return;
    }
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const onward = request(
        {
          host: '127.0.0.1',
          port: this.#target(),
          path: incoming.url,
          method: incoming.method,
          headers: { ...incoming.headers, connection: 'close' },
        },
        resolve,
      );
      onward.on('error', reject);
      onward.end(body);
    });
    const content = await bytesOf(answer);
    if (this.#strikes('answer')) {
      incoming.socket.destroy();
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    outgoing.end(content);
  }
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
