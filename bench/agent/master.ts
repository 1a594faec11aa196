import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { SyncAnswer, SyncRequest } from '../../src/protocol/v2.ts';

const inflate = promisify(gunzip);

/** A master that takes everything and keeps nothing, so that the agent's journal lives its usual life. */
export class TakingMaster {
  samples = 0;
  readonly #server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const sync = JSON.parse((await inflate(Buffer.concat(chunks))).toString()) as SyncRequest;
    this.samples += sync.samples.length;
    const data: SyncAnswer = {
      ok: true,
      head_before: sync.prev,
      accepted: 0,
      rejected: [],
      server_time: Date.now(),
      limits: { rows: 5000, bytes: 8 * 1024 * 1024 },
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'success', data }));
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
