import { Agent, request } from 'node:http';
import { sleep } from '../processes.ts';

export interface Answer {
  /** From the request to the last byte of the answer. */
  ms: number;
  status: number;
  text: string;
}

/** A user's program: one connection kept alive, one question at a time. */
export class Asker {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number) {
    this.#port = port;
  }

  get(path: string): Promise<Answer> {
    return this.#ask('GET', path, {}, null);
  }

  post(path: string, body: unknown): Promise<Answer> {
    const bytes = Buffer.from(JSON.stringify(body));
    return this.send(path, { 'content-type': 'application/json' }, bytes);
  }

  /** A body that was made beforehand. */
  send(path: string, headers: Record<string, string>, bytes: Buffer): Promise<Answer> {
    return this.#ask('POST', path, { ...headers, 'content-length': String(bytes.length) }, bytes);
  }

  close(): void {
    this.#agent.destroy();
  }

  /**
   * A connection that was idle for long may be closed by the master just as it is used again: the question is then asked
   * anew, on another one, as browsers do.
   */
  #ask(method: string, path: string, headers: Record<string, string>, body: Buffer | null): Promise<Answer> {
    const begun = performance.now();
    return new Promise((resolve, reject) => {
      const call = request(
        { port: this.#port, host: '127.0.0.1', method, path, headers, agent: this.#agent },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const ms = performance.now() - begun;
            resolve({ ms, status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
          });
        },
      );
      call.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNRESET' || !call.reusedSocket) return reject(error);
        resolve(this.#ask(method, path, headers, body));
      });
      call.end(body);
    });
  }
}

/** The data of an answer; throws what the master said instead of one. */
export function dataOf<T>({ status, text }: Answer): T {
  if (status !== 200) throw new Error(`the master answered ${status} ${text.slice(0, 500)}`);
  return (JSON.parse(text) as { data: T }).data;
}

/** Waits for the round of upkeep with which a master begins, or it would go on beside the first questions. */
export async function keptInOrder(asker: Asker): Promise<void> {
  for (;;) {
    const { components } = dataOf<{ components: Record<string, { values?: { last_maintenance?: number } }> }>(
      await asker.get('/api/v1/ready'),
    );
    if ((components.facts?.values?.last_maintenance ?? 0) > 0) return;
    await sleep(500);
  }
}
