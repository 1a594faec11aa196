import { beforeEach, describe, expect, it } from 'vitest';
import { ALL, readRecordsInEachTest } from './records.test-support.ts';
import { RecordsReader } from './records-reader.ts';

const given = readRecordsInEachTest();

describe('agents and streams', () => {
  beforeEach(() => {
    given.records.db.exec(`
      INSERT INTO agents (agent_id, first_seen, last_contact, protocol, version, core_version, core_state, interval_s,
        records, measured, conflict_since, conflict_at, conflict) VALUES
        ('a', 10, 20, 2, '1.0', 'v1.19', 'connected', 5, 3, 1, NULL, NULL, NULL), ('b', 10, 20, 1, '', '', '', 0, 0, 0, 12, 15, 'two journals');
      INSERT INTO streams (num, agent_id, stream, first_seen, last_seen) VALUES (1, 'a', 's1', 0, 0), (2, 'a', 's2', 0, 0), (3, 'b', 's3', 0, 0);
      INSERT INTO lost VALUES (1, 1, 100, 200, 5, 6, 7, 'disk-budget'), (2, 1, 300, 400, 1, 1, 1, 'forgotten-by-master');
      INSERT INTO gaps VALUES (1, 1, 100, 200, 'core-down'), (3, 1, 150, 300, 'stalled');
      INSERT INTO runs VALUES (1, 1, 50, 'v1.19');
      INSERT INTO core_totals VALUES ('a', 1, 10, 1, 0, 0), ('a', 2, 20, 2, 3, 4), ('a', 5, 40, 4, 0, 0), ('b', 2, 0, 0, 9, 9);
    `);
  });

  it('lists agents with what they lost', async () => {
    const agents = await given.reader.agents();
    expect(agents[0]).toMatchObject({
      agentId: 'a',
      protocol: 2,
      records: 3,
      measured: true,
      conflict: null,
      lost: { connections: 8, download: 6, upload: 7 },
    });
    expect(agents[1]).toMatchObject({ agentId: 'b', conflict: { since: 12, at: 15, what: 'two journals' } });
    expect(await given.reader.agents('a')).toEqual([agents[0]]);
    expect(await given.reader.agents('c')).toEqual([]);
  });

  it('lists gaps, losses and runs that overlap', async () => {
    expect(await given.reader.gaps(180, 220)).toEqual([
      { agentId: 'a', from: 100, to: 200, reason: 'core-down' },
      { agentId: 'b', from: 150, to: 300, reason: 'stalled' },
    ]);
    expect(await given.reader.gaps(200, 220, 'a')).toEqual([]);
    expect(await given.reader.lost(0, 250)).toMatchObject([
      { agentId: 'a', download: 5, reason: 'disk-budget' },
    ]);
    given.records.db.exec("INSERT INTO runs VALUES (2, 1, 40, 'v1.18')");
    expect(await given.reader.firstRuns()).toEqual([{ agentId: 'a', from: 40 }]);
    expect(await given.reader.firstRuns('b')).toEqual([]);
  });

  it('finds the time in which all of some agents were in a gap', async () => {
    expect(await given.reader.commonGaps(0, 1000, null)).toEqual([{ from: 150, to: 200 }]);
    expect(await given.reader.commonGaps(0, 1000, ['a'])).toEqual([{ from: 100, to: 200 }]);
    expect(await given.reader.commonGaps(0, 120, ['b'])).toEqual([]);
    expect(await given.reader.commonGaps(0, 1000, [])).toEqual([]);
  });

  it('refuses more gaps than an answer should hold, and names what helps', async () => {
    given.records.db.exec(
      `WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 100_010)
       INSERT INTO gaps SELECT 3, i, i, i + 1, 'stalled' FROM n`,
    );
    await expect(given.reader.gaps(0, 1e9)).rejects.toMatchObject({
      code: 'query_too_large',
      details: [{ field: 'agent' }],
    });
    expect(await given.reader.gaps(0, 1e9, 'a')).toHaveLength(1);
  });

  it('refuses sums of more agents and periods than an answer should hold', async () => {
    given.records.db.exec(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20_000)
       INSERT INTO core_totals SELECT 'x' || i, 3, 1, 1, 0, 0 FROM n`,
    );
    const periods = [{ from: 0, to: 600_000 }];
    await expect(given.reader.coreTotals(periods)).rejects.toMatchObject({
      code: 'query_too_large',
      details: [{ field: 'agent' }],
    });
    expect(await given.reader.coreTotals(periods, 'x7')).toHaveLength(1);
  });

  it('sums core totals by period, half-open', async () => {
    const minute = 60_000;
    const periods = [
      { from: 0, to: 2 * minute },
      { from: 2 * minute, to: 6 * minute },
    ];
    expect(await given.reader.coreTotals(periods)).toEqual([
      { agentId: 'a', period: 0, download: 10, upload: 1, unmeasuredDownload: 0, unmeasuredUpload: 0 },
      { agentId: 'a', period: 1, download: 60, upload: 6, unmeasuredDownload: 3, unmeasuredUpload: 4 },
      { agentId: 'b', period: 1, download: 0, upload: 0, unmeasuredDownload: 9, unmeasuredUpload: 9 },
    ]);
    expect(await given.reader.coreTotals(periods, 'b')).toHaveLength(1);
  });
});

describe('the thread', () => {
  it('gives up a question that takes too long, and answers the next one from the same thread', async () => {
    given.records.db.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000)
      INSERT INTO texts (id, text) SELECT 1000 + i, '["A","' || i || '"]' FROM n;
      INSERT INTO records (id, agent_id, num, start_ms, updated_ms, chains)
      SELECT text, 0, id, id, id, id FROM texts WHERE id >= 1000`);
    const hasty = new RecordsReader({ path: given.records.path, timeoutMs: 1000 });
    hasty.start();
    await hasty.agents();
    const slow = { ...ALL, filters: { node: 'x' }, sortBy: 'total' as const };
    await expect(hasty.connections(slow)).rejects.toMatchObject({ code: 'query_timeout' });
    expect(await hasty.agents()).toEqual([]);
    expect(hasty.state).toEqual({ waiting: 0, busy: false, timeouts: 1 });
    await hasty.stop();
  });

  it('bounds its queue', async () => {
    const small = new RecordsReader({ path: given.records.path, maxWaiting: 2 });
    small.start();
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => small.agents()));
    expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toHaveLength(3);
    expect(outcomes.find((outcome) => outcome.status === 'rejected')).toMatchObject({
      reason: { code: 'too_many_requests', status: 429, retryAfter: 1 },
    });
    await small.stop();
  });

  it('rejects what waits when it stops, and is stopped twice without harm', async () => {
    const waiting = given.reader.agents();
    const rejected = expect(waiting).rejects.toMatchObject({ code: 'not_ready' });
    await given.reader.stop();
    await given.reader.stop();
    await rejected;
    await expect(given.reader.agents()).rejects.toMatchObject({ code: 'not_ready' });
  });
});
