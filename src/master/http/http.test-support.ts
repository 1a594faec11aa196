import type { FastifyInstance } from 'fastify';
import { silentLogger } from '../../common/logger.ts';
import { openStore } from '../../common/sqlite.ts';
import type { SyncAnswer } from '../../protocol/v2.ts';
import type { Delivery } from '../ingest/ingest.ts';
import { RECORDS_FILE } from '../ingest/schema.ts';
import type { Answer, DailySum, GroupRow, StatsMeta } from '../query/answers.ts';
import type { AgentTotals } from '../query/catalogue-service.ts';
import { readFilter } from '../query/filter-text.ts';
import type { TrafficAnswer } from '../query/traffic-answer.ts';
import type { Records } from '../records/query.ts';
import type { MissingFacts } from '../store/store.ts';
import { TokenRegistry } from '../tokens/token-registry.ts';
import { TokenTable } from '../tokens/token-table.ts';
import { createApp } from './app.ts';
import type { HttpDeps, HttpOptions } from './deps.ts';

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

const META: StatsMeta = {
  tier: 'minute',
  range: { from: 0, to: 0 },
  aligned: true,
  fresh_to: 0,
  range_cut: null,
  unattributed: { applies: true, download: 0, upload: 0 },
  other: null,
  cut: false,
  elapsed_ms: 0,
};
const NOTHING = { download: 0, upload: 0, total: 0 };
/** An answer without any traffic. */
export const TRAFFIC: TrafficAnswer = {
  data: {
    buckets: [],
    bucket_states: [],
    gaps: [],
    groups: [],
    other: null,
    unattributed: null,
    summary: { totals: NOTHING, previous: null },
  },
  meta: {
    range: { from: 0, to: 0 },
    previous: null,
    interval: null,
    tier: 'half_hour',
    aligned: true,
    fresh_to: 0,
    range_cut: null,
    elapsed_ms: 0,
    unattributed: { applies: false, download: 0, upload: 0 },
    freshness: [],
    gaps_omitted: 0,
    cut: false,
  },
};

export const GROUPS: GroupRow[] = [
  { network: 'tcp', label: 'tcp', count: 1, download: 2, upload: 3, total: 5 },
];
const BYTES = { count: 1, download: 2, upload: 3 };

/** Services that answer the same to everything, and remember what they were asked. */
export class FakeServices {
  readonly asked: object[] = [];
  totals: AgentTotals[] = [];
  days: DailySum[] = [];
  step = 1;
  keptFrom = 0;
  missing: MissingFacts[] = [];

  #answer<T>(question: object, data: T): Promise<Answer<T>> {
    this.asked.push(question);
    return Promise.resolve({ data, meta: META });
  }

  readonly traffic: HttpDeps['traffic'] = {
    answer: async (question) => {
      this.asked.push(question);
      return TRAFFIC;
    },
  };

  readonly stats: HttpDeps['stats'] = {
    summary: (question) => this.#answer(question, { count: 1, download: 2, upload: 3, total: 5 }),
    group: (question) => this.#answer(question, GROUPS),
    timeseries: (question) => this.#answer(question, [{ time: '2026-01-01T00:00:00Z', value: 1 }]),
  };

  readonly catalogue: HttpDeps['catalogue'] = {
    filterOptions: async (question) => {
      this.asked.push(question);
      return [{ value: 'tcp', label: 'tcp', field: 'network', total: 5 }];
    },
    perAgent: async () => this.totals,
    agentDetail: async () => ({
      networks: [{ network: 'tcp', ...BYTES }],
      rules: [{ rule: 'Match', ...BYTES }],
    }),
    dailySums: async () => this.days,
    daysKept: async () => ({ step: this.step, keptFrom: this.keptFrom }),
    missing: async () => this.missing,
  };
}

/** Records that hold nothing, where a test is about something else. */
export const NO_RECORDS: Records = {
  connections: async () => ({ records: [], total: 0, capped: false, nextCursor: null }),
  connection: async () => null,
  exportConnections: async () => ({ rows: [], next: null }),
  agents: async () => [],
  gaps: async () => [],
  commonGaps: async () => [],
  lost: async () => [],
  firstRuns: async () => [],
  coreTotals: async () => [],
  waiting: async () => [],
};

/** Connections of which no minute is known, where a test is about something else. */
const NO_BYTES: HttpDeps['bytes'] = {
  refresh: async () => 0,
  inRange: async () => ({ bytes: new Map(), cut: null }),
  minutes: async () => ({ minutes: [], cut: null }),
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

export function testDeps(services = new FakeServices()): HttpDeps {
  return {
    ingest: new FakeIngest(),
    records: NO_RECORDS,
    traffic: services.traffic,
    stats: services.stats,
    catalogue: services.catalogue,
    bytes: NO_BYTES,
    filters: { read: async (text, of, field) => readFilter(text, { of }, field) },
    exports: { open: () => Promise.reject(new Error('this test exports nothing')) },
    tokens: noTokens(),
    backups: { make: () => Promise.reject(new Error('no test makes a backup here')) },
    probes: [],
    logger: silentLogger(),
  };
}

function noTokens(): TokenRegistry {
  const none = () => Promise.reject(new Error('this test has no table of tokens'));
  return new TokenRegistry({
    writer: { createToken: none, revokeToken: none, tokensUsed: none },
    logger: silentLogger(),
  });
}

/** Tokens in a table of their own, in memory. */
export function testTokens(now: () => number): { tokens: TokenRegistry; table: TokenTable } {
  const table = new TokenTable(openStore(':memory:', RECORDS_FILE));
  const changed = <T>(value: T): T => {
    tokens.replace(table.all());
    return value;
  };
  const tokens = new TokenRegistry({
    writer: {
      createToken: async (token) => changed(table.create(token, now())),
      revokeToken: async (id) => changed(table.revoke(id)),
      tokensUsed: async (uses) => table.used(uses),
    },
    logger: silentLogger(),
  });
  return { tokens, table };
}

export const BEARER = { authorization: `Bearer ${TOKEN}` };
