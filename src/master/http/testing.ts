import type { FastifyInstance } from 'fastify';
import { silentLogger } from '../../common/logger.ts';
import type { SyncAnswer } from '../../protocol/v2.ts';
import type { Delivery } from '../ingest/ingest.ts';
import type { Records } from '../records/query.ts';
import { createApp } from './app.ts';
import type { HttpDeps, HttpOptions } from './deps.ts';
import type {
  Answered,
  BookSums,
  GroupQuestion,
  SeriesQuestion,
  Statistics,
  StatsQuestion,
  Sums,
} from './statistics.ts';

export const TOKEN = 'correct-horse-battery-staple';

/** An ingest that remembers what it was given and does nothing with it. */
export class FakeIngest {
  readonly deliveries: Delivery[] = [];
  /** Awaited before each answer, so that a test can hold requests in flight. */
  gate: Promise<void> = Promise.resolve();

  async v1(delivery: Delivery): Promise<{ count: number }> {
    this.deliveries.push(delivery);
    await this.gate;
    return { count: 1 };
  }

  async v2(delivery: Delivery): Promise<SyncAnswer> {
    this.deliveries.push(delivery);
    await this.gate;
    return {
      ok: true,
      head_before: null,
      accepted: 0,
      rejected: [],
      server_time: 0,
      limits: { rows: 5000, bytes: 4_194_304 },
    };
  }
}

/** A fact store that answers the same to everything, and remembers what it was asked. */
export class FakeStatistics implements Statistics {
  readonly asked: object[] = [];
  totals: { agentId: string; download: number; upload: number }[] = [];
  books: BookSums[] = [];
  groups: object[] = [{ network: 'tcp', rule: 'Match', count: 1, download: 2, upload: 3, total: 5 }];

  async summary(question: StatsQuestion): Promise<Answered<Sums>> {
    this.asked.push(question);
    return { data: { count: 1, download: 2, upload: 3, total: 5 }, meta: { tier: 'minute' } };
  }

  async group(question: GroupQuestion): Promise<Answered<object[]>> {
    this.asked.push(question);
    return { data: this.groups, meta: { other: null } };
  }

  async series(question: SeriesQuestion): Promise<Answered<object[]>> {
    this.asked.push(question);
    return { data: [{ time: '2026-01-01T00:00:00Z', value: 1 }], meta: {} };
  }

  async filterOptions(question: object): Promise<{ value: string; label: string; field: string }[]> {
    this.asked.push(question);
    return [{ value: 'tcp', label: 'tcp', field: 'network' }];
  }

  async agentTotals(): Promise<{ agentId: string; download: number; upload: number }[]> {
    return this.totals;
  }

  async bookSums(): Promise<BookSums[]> {
    return this.books;
  }
}

/** Records that hold nothing, where a test is about something else. */
export const NO_RECORDS: Records = {
  connections: async () => ({ records: [], total: 0, capped: false, nextCursor: null }),
  agents: async () => [],
  gaps: async () => [],
  lost: async () => [],
  runs: async () => [],
  coreTotals: async () => [],
};

export const OPTIONS: HttpOptions = {
  host: '127.0.0.1',
  port: 0,
  apiToken: TOKEN,
  allowHosts: [],
  trustedOrigins: [],
};

export function testApp(options: Partial<HttpOptions> = {}, deps: Partial<HttpDeps> = {}): FastifyInstance {
  return createApp({ ...testDeps(), ...deps }, { ...OPTIONS, ...options });
}

export function testDeps(): HttpDeps {
  return {
    ingest: new FakeIngest(),
    records: NO_RECORDS,
    statistics: new FakeStatistics(),
    flusher: { flushNow: async () => {} },
    probes: [],
    logger: silentLogger(),
  };
}

export const BEARER = { authorization: `Bearer ${TOKEN}` };
