import { createRecords, insertRecord, type TestRecords } from '../records/records.test-support.ts';
import { RecordsReader } from '../records/records-reader.ts';
import { AnswerCheck } from './answer-check.test-support.ts';
import type { HttpDeps } from './deps.ts';
import { BEARER, FakeServices, testApp } from './http.test-support.ts';

export const NOW = Date.UTC(2026, 0, 10, 12);
const DAY = 86_400_000;

/** An app over a real records database with two agents and a connection, and services that remember. */
export class Bench {
  readonly services = new FakeServices();
  readonly files: TestRecords;
  readonly records: RecordsReader;
  readonly #check = AnswerCheck.make();

  constructor() {
    this.files = createRecords();
    this.records = new RecordsReader({ path: this.files.path });
    this.records.start();
    fill(this.files);
  }

  app(deps: Partial<HttpDeps> = {}) {
    const { stats, catalogue } = this.services;
    return testApp({}, { records: this.records, stats, catalogue, now: () => NOW, ...deps });
  }

  async get(path: string, deps: Partial<HttpDeps> = {}) {
    const answer = await this.app(deps).inject({ url: `/api/v1${path}`, headers: BEARER });
    const { statusCode: status, headers } = answer;
    const body = answer.json();
    const contentType = String(headers['content-type']);
    (await this.#check).hold({ method: 'GET', path: `/api/v1${path}`, status, contentType, body });
    return { status, headers, body };
  }

  async close(): Promise<void> {
    await this.records.stop();
    this.files.remove();
  }
}

function fill(files: TestRecords): void {
  insertRecord(files.db, {
    id: 'c1',
    agent_id: '路由器',
    host: 'www.example.com',
    process: 'curl',
    rule: 'Match',
    start_ms: NOW - 1000,
    download: 7,
  });
  files.db
    .prepare(
      `INSERT INTO agents (agent_id, first_seen, last_contact, protocol, version, core_version, core_state,
         last_snapshot, clock_offset_ms, backlog, interval_s, sample_interval_ms, quarantined, journal_bytes,
         journal_budget, booked_to, records, measured)
       VALUES ('路由器', ?, ?, 2, '1.0.0', 'v1.19.0', 'connected', ?, 5, 9, 60, 1000, 1, 4096, 536870912, ?, 1, 1),
              ('old', ?, ?, 1, '', '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`,
    )
    .run(NOW - DAY, NOW - 100_000, NOW - 500, NOW / 60_000 - 1, NOW - DAY, NOW - 181_000);
}
