import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Reply } from '../../src/agent/sync/outcome.ts';
import type { Transport } from '../../src/agent/sync/transport.ts';
import { type Component, startAll, stopAll } from '../../src/common/component.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { TokenScope } from '../../src/domain/token.ts';
import { BackupService } from '../../src/master/backup/backup-service.ts';
import { type ExportLimits, ExportService } from '../../src/master/export/export-service.ts';
import { AnswerCheck } from '../../src/master/http/answer-check.test-support.ts';
import { HttpServer } from '../../src/master/http/server.ts';
import { IngestThread } from '../../src/master/ingest/ingest-thread.ts';
import { CatalogueService } from '../../src/master/query/catalogue-service.ts';
import { ConnectionBytes } from '../../src/master/query/connection-bytes.ts';
import { FilterReader } from '../../src/master/query/filter-reader.ts';
import { StatsService } from '../../src/master/query/stats-service.ts';
import { TrafficService } from '../../src/master/query/traffic-service.ts';
import { RecordsReader } from '../../src/master/records/records-reader.ts';
import { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import { EMBEDDED_FACT_FILES } from '../../src/master/store/embedded/fact-files.ts';
import { LotFlusher } from '../../src/master/store/flusher.ts';
import { TokenRegistry } from '../../src/master/tokens/token-registry.ts';

const TOKEN = 'a-token-of-the-tests';
const BEARER = { authorization: `Bearer ${TOKEN}` };
const CHECK = AnswerCheck.make();

interface Asked {
  body?: string | Uint8Array;
  gzip?: boolean;
  token?: string;
}

/** An answer of the API, parsed. */
export interface Answer {
  status: number;
  body: {
    status: string;
    code?: string;
    message: string | null;
    // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the answer holds
    data: any;
    // biome-ignore lint/suspicious/noExplicitAny: the same
    meta?: any;
    total_count?: number;
    details?: { field: string; problem: string }[];
  };
}

interface Options {
  reserveLocal?: boolean;
  name?: string;
  exportLimits?: Partial<ExportLimits>;
}

/** A whole master in this process: sockets, threads and stores as they are. */
export class WholeMaster {
  static readonly TOKEN = TOKEN;
  readonly #components: Component[];
  readonly #server: HttpServer;
  readonly ingest: IngestThread;
  readonly flusher: LotFlusher;

  constructor(directory: string, options: Options = {}) {
    const { reserveLocal = false, name = 'master', exportLimits = {} } = options;
    const path = join(directory, `${name}.db`);
    const logger = silentLogger();
    this.ingest = new IngestThread({
      path,
      reserveLocal,
      onHurry: () => this.flusher.poke(5000),
      onTokens: (all) => tokens.replace(all),
      logger,
    });
    const tokens = new TokenRegistry({ writer: this.ingest, logger });
    const facts = new EmbeddedFactStore({ path: join(directory, `${name}.facts.duckdb`), threads: 1 });
    this.flusher = new LotFlusher({ source: this.ingest, facts, log: logger });
    const records = new RecordsReader({ path });
    const asked = { facts, freshness: this.flusher, gaps: records };
    const backups = new BackupService({
      records: path,
      facts: join(directory, `${name}.facts.duckdb`),
      files: EMBEDDED_FACT_FILES,
      store: facts,
      marks: this.ingest,
      directory: join(directory, 'backup'),
      logger,
    });
    const traffic = new TrafficService({ ...asked, records });
    this.#server = new HttpServer(
      {
        ingest: this.ingest,
        records,
        traffic,
        exports: new ExportService({ ...asked, records, traffic, limits: exportLimits }),
        stats: new StatsService(asked),
        catalogue: new CatalogueService(asked),
        bytes: new ConnectionBytes(asked),
        filters: new FilterReader({ ...asked, records }),
        tokens,
        backups,
        probes: [],
        logger,
      },
      { host: '127.0.0.1', port: 0, apiToken: TOKEN, allowHosts: [], trustedOrigins: [] },
    );
    this.#components = [this.ingest, facts, this.flusher, records, tokens, backups, this.#server];
  }

  async start(): Promise<this> {
    await startAll(this.#components);
    return this;
  }

  async stop(): Promise<void> {
    const late = await stopAll(this.#components, 10_000);
    if (late.length > 0) throw new Error(`did not stop in time: ${late.join(', ')}`);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /**
   * Answer of `/api/v1…`. All that was delivered before is in it: a query by itself would join a flush that is under way
   * and say by `fresh_to` that it sees no further.
   */
  async get(path: string, token = TOKEN): Promise<Answer> {
    await this.flusher.drain();
    return await this.ask('GET', `/api/v1${path}`, { token });
  }

  async post(version: 'v1' | 'v2', body: unknown, token = TOKEN): Promise<Answer> {
    return await this.postRaw(version, typeof body === 'string' ? body : JSON.stringify(body), { token });
  }

  async postRaw(
    version: 'v1' | 'v2',
    body: string | Uint8Array,
    { gzip = false, token = TOKEN } = {},
  ): Promise<Answer> {
    return await this.ask('POST', `/api/${version}/sync`, { body, gzip, token });
  }

  /** Every answer is held against what its route says that it answers. */
  async ask(
    method: string,
    path: string,
    { body, gzip = false, token = TOKEN }: Asked = {},
  ): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(gzip && { 'content-encoding': 'gzip' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
    const contentType = response.headers.get('content-type');
    const text = await response.text();
    const answer = contentType?.startsWith('application/json') ? JSON.parse(text) : text;
    (await CHECK).hold({ method, path, status: response.status, contentType, body: answer });
    return { status: response.status, body: answer };
  }

  /** Makes a token, and returns its secret. */
  async token(name: string, scope: TokenScope, agentId?: string): Promise<string> {
    const body = JSON.stringify({ name, scope, ...(agentId !== undefined && { agent_id: agentId }) });
    return (await this.ask('POST', '/api/v1/tokens', { body })).body.data.secret;
  }

  /** Has a backup made; the lines of the answer. `onText` is called whenever some of it arrives. */
  async backup(options: { signal?: AbortSignal; onText?: () => void } = {}): Promise<string[]> {
    const { signal = null, onText = () => {} } = options;
    const answer = await fetch(`${this.url}/api/v1/storage/backup`, {
      method: 'POST',
      headers: { ...BEARER, 'content-type': 'application/json' },
      body: '{}',
      signal,
    });
    let text = '';
    for await (const part of answer.body ?? []) {
      text += Buffer.from(part).toString();
      onText();
    }
    const contentType = answer.headers.get('content-type');
    (await CHECK).hold({
      method: 'POST',
      path: '/api/v1/storage/backup',
      status: answer.status,
      contentType,
      body: contentType?.startsWith('application/json') ? JSON.parse(text) : text,
    });
    return text.trim().split('\n');
  }

  /** What an agent's sync engine delivers through, over the socket. */
  transport(): Transport {
    return {
      post: async (path, body): Promise<Reply> => {
        const answer = await fetch(this.url + path, {
          method: 'POST',
          headers: { ...BEARER, 'content-type': 'application/json', 'content-encoding': 'gzip' },
          body: new Uint8Array(gzipSync(body)),
        });
        return { kind: 'answer', status: answer.status, retryAfterMs: 0, body: await answer.text() };
      },
      close: async () => {},
    };
  }
}
