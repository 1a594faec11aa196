import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEARER, testApp } from '../../src/master/http/http.test-support.ts';
import {
  createRecords,
  insertOriginal,
  insertRecord,
  type TestRecords,
} from '../../src/master/records/records.test-support.ts';
import { RecordsReader } from '../../src/master/records/records-reader.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
let files: TestRecords;
let records: RecordsReader;
beforeAll(() => {
  files = createRecords();
  const agent = files.db.prepare(
    'INSERT INTO agents (agent_id, first_seen, last_contact, protocol, interval_s) VALUES (?, 0, ?, ?, ?)',
  );
  agent.run('idle', NOW - 60_000, 2, 30);
  agent.run('slow', NOW - 800_000, 2, 300);
  agent.run('late', NOW - 901_000, 2, 300);
  agent.run('short', NOW - 91_000, 2, 1);
  agent.run('v1', NOW - 179_000, 1, 0);
  agent.run('gone', NOW - 181_000, 1, 0);
  // The clocks of these agents, as far as records tell, are years off, and one is unreadable.
  insertRecord(files.db, { id: '1', agent_id: 'idle', updated_ms: Date.UTC(2001, 0, 1) });
  insertRecord(files.db, { id: '2', agent_id: 'gone', updated_ms: Date.UTC(2031, 0, 1) });
  insertOriginal(files.db, { id: '3', agent_id: 'gone', last_updated: 'unreadable' });
  records = new RecordsReader({ path: files.path });
  records.start();
});
afterAll(async () => {
  await records.stop();
  files.remove();
});

/**
 * The original derived "active" from the newest `last_updated`, which is the agent's clock and stands still while an
 * agent is idle; an unreadable time counted as active.
 */
describe('T5: an agent is online by when it was heard last, on the clock of the master', () => {
  it('within three of its own intervals, at least 90 s; 180 s for agents that announce none', async () => {
    const app = testApp({}, { records, now: () => NOW });
    const { data } = (await app.inject({ url: '/api/v1/agents', headers: BEARER })).json();
    const status = Object.fromEntries(
      data.map((row: { agent_id: string; status: string }) => [row.agent_id, row.status]),
    );
    expect(status).toEqual({
      idle: 'online',
      slow: 'online',
      late: 'offline',
      short: 'offline',
      v1: 'online',
      gone: 'offline',
    });
  });

  it('and its own page says the same', async () => {
    const app = testApp({}, { records, now: () => NOW });
    for (const [id, active] of [
      ['idle', true],
      ['gone', false],
    ] as const) {
      const { data } = (await app.inject({ url: `/api/v1/agents/${id}/status`, headers: BEARER })).json();
      expect(data.is_active).toBe(active);
    }
  });
});
