import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DailySum } from '../query/answers.ts';
import { createRecords, type TestRecords } from '../records/records.test-support.ts';
import { RecordsReader } from '../records/records-reader.ts';
import type { MissingFacts } from '../store/store.ts';
import { coverageOf } from './coverage.ts';
import { BEARER, FakeServices, NO_RECORDS, testApp } from './http.test-support.ts';
import { verifyPeriods } from './verify-periods.ts';

const DAY = 86_400_000;
const D1 = Date.UTC(2026, 0, 1);
const NOW = D1 + 2 * DAY + DAY / 2;
let files: TestRecords;
let records: RecordsReader;

beforeAll(() => {
  files = createRecords();
  records = new RecordsReader({ path: files.path });
  records.start();
  const minute = (at: number): number => at / 60_000;
  const agent = files.db.prepare(
    `INSERT INTO agents (agent_id, first_seen, last_contact, protocol, booked_to, measured) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  agent.run('a', D1 + DAY / 2, NOW, 2, minute(NOW) - 1, 1);
  agent.run('v1', D1, NOW, 1, minute(NOW) - 1, 0);
  files.db.exec(
    `INSERT INTO streams (num, agent_id, stream, first_seen, last_seen) VALUES (1, 'a', 's', 0, 0)`,
  );
  files.db.exec(`
    INSERT INTO core_totals VALUES ('a', ${minute(D1) + 5}, 1000, 100, 10, 0),
      ('a', ${minute(D1 + DAY)}, 500, 50, 0, 0), ('a', ${minute(D1 + 2 * DAY)}, 70, 7, 0, 0);
    INSERT INTO runs VALUES (1, 1, ${D1 + DAY / 4}, 'v1');
    INSERT INTO gaps VALUES (1, 1, ${D1 + DAY / 2}, ${D1 + (DAY * 3) / 4}, 'core-down');
    INSERT INTO lost VALUES (1, 1, ${D1}, ${D1 + DAY + 5}, 3, 2, 1, 'disk-budget');
  `);
});
afterAll(async () => {
  await records.stop();
  files.remove();
});

const booked = (agent: string, day: number, attributed: number, unattributed: number): DailySum => ({
  agent,
  day: D1 + day * DAY,
  attributed: { download: attributed, upload: attributed / 10 },
  recovered: { download: 1, upload: 0 },
  unattributed: { download: unattributed, upload: unattributed / 10 },
});

async function verify(
  query: string,
  books: DailySum[],
  facts: Partial<Pick<FakeServices, 'missing' | 'keptFrom'>> = {},
) {
  const services = Object.assign(new FakeServices(), facts);
  services.days = books;
  const app = testApp({}, { records, catalogue: services.catalogue, now: () => NOW });
  const answer = await app.inject({ url: `/api/v1/verify?${query}`, headers: BEARER });
  return answer.json();
}

const range = 'from=2026-01-01T00:00:00Z&to=2026-01-04T00:00:00Z';

describe('GET /verify', () => {
  it('calls a day open whose facts are merged and not yet in the fact store', async () => {
    const minute = D1 / 60_000 + 5;
    const { lastInsertRowid } = files.db
      .prepare(
        `INSERT INTO pending_facts (conn, kind, bucket, prev, recovered, down, up, conns, agent_id)
         VALUES (1, 0, ?, 0, 0, 1, 1, 1, 'a')`,
      )
      .run(minute);
    const answer = await verify(`${range}&agent=a`, []);
    const states = new Map(answer.data.map((row: { day: string; state: string }) => [row.day, row.state]));
    expect(states.get('2026-01-01')).toBe('open');
    expect(states.get('2026-01-02')).toBe('unbalanced');
    files.db.prepare('DELETE FROM pending_facts WHERE seq = ?').run(lastInsertRowid);
  });

  it('calls a day open while its last minute may have arrived in part only', async () => {
    const state = async (lastSnapshot: number) => {
      files.db
        .prepare("UPDATE agents SET last_snapshot = ?, booked_to = ? WHERE agent_id = 'a'")
        .run(lastSnapshot, D1 / 60_000 + 1439);
      const { data } = await verify(`${range}&agent=a`, [
        { ...booked('a', 0, 910, 100), attributed: { download: 910, upload: 90 } },
      ]);
      return data[0].state;
    };
    try {
      // Something of its last minute was delivered; the snapshots after that were not.
      expect(await state(D1 + DAY - 18_000)).toBe('open');
      expect(await state(D1 + DAY + 200)).toBe('balanced');
    } finally {
      files.db
        .prepare("UPDATE agents SET last_snapshot = 0, booked_to = ? WHERE agent_id = 'a'")
        .run(NOW / 60_000 - 1);
    }
  });

  it('calls not measured what a conflict touches, and the time before it not', async () => {
    const set = files.db.prepare(
      "UPDATE agents SET conflict = 'two', conflict_since = ?, conflict_at = ? WHERE agent_id = 'a'",
    );
    set.run(D1 + DAY + 5, D1 + DAY + 10);
    try {
      const { data } = await verify(`${range}&agent=a`, [
        { ...booked('a', 0, 910, 100), attributed: { download: 910, upload: 90 } },
        booked('a', 1, 400, 90),
      ]);
      expect(data.map((row: { state: string; core: unknown }) => [row.state, row.core === null])).toEqual([
        ['balanced', false],
        ['not measured', true],
        ['open', false],
      ]);
    } finally {
      files.db.exec(
        "UPDATE agents SET conflict = NULL, conflict_since = NULL, conflict_at = NULL WHERE agent_id = 'a'",
      );
    }
  });

  it('calls not measured a time in which bytes came without any totals', async () => {
    const minute = (D1 + DAY) / 60_000;
    files.db
      .prepare(
        "UPDATE core_totals SET down = 0, up = 0, unmeasured_down = 500 WHERE agent_id = 'a' AND minute = ?",
      )
      .run(minute);
    try {
      const { data } = await verify(`${range}&agent=a`, [booked('a', 1, 500, 0)]);
      expect(data[1]).toMatchObject({ day: '2026-01-02', state: 'not measured', core: null });
      expect(data[0].core).not.toBeNull();
    } finally {
      files.db
        .prepare(
          "UPDATE core_totals SET down = 500, up = 50, unmeasured_down = 0 WHERE agent_id = 'a' AND minute = ?",
        )
        .run(minute);
    }
  });

  it('sets core totals against what was booked, by agent and day', async () => {
    const { data } = await verify(range, [
      { ...booked('a', 0, 910, 100), attributed: { download: 910, upload: 90 } },
      booked('a', 1, 400, 90),
      booked('a', 2, 60, 0),
      booked('v1', 0, 40, 0),
    ]);
    expect(
      data.map((row: { agent_id: string; day: string; state: string }) => [row.agent_id, row.day, row.state]),
    ).toEqual([
      ['a', '2026-01-01', 'balanced'],
      ['a', '2026-01-02', 'unbalanced'],
      ['a', '2026-01-03', 'open'],
      ['v1', '2026-01-01', 'not measured'],
    ]);
    expect(data[0]).toEqual({
      agent_id: 'a',
      day: '2026-01-01',
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-01-02T00:00:00.000Z',
      core: { download: 1000, upload: 100 },
      attributed: { download: 910, upload: 90 },
      recovered: { download: 1, upload: 0 },
      unattributed: { download: 100, upload: 10 },
      unmeasured: { download: 10, upload: 0 },
      difference: { download: 0, upload: 0 },
      missing: [],
      lost: { download: 0, upload: 0 },
      coverage: 2 / 3,
      gaps: [{ from: '2026-01-01T12:00:00.000Z', to: '2026-01-01T18:00:00.000Z', reason: 'core-down' }],
      state: 'balanced',
    });
    expect(data[1]).toMatchObject({
      difference: { download: 10, upload: 1 },
      lost: { download: 3, upload: 2 },
      coverage: 1,
      gaps: [],
    });
    expect(data[3]).toMatchObject({ core: null, difference: null });
  });

  it('calls incomplete what missing lots explain, and no more rows than they have bytes for', async () => {
    const lots = {
      reason: 'not-kept' as const,
      firstLot: 7,
      lastLot: 9,
      from: D1 / 60_000 + 1440,
      to: D1 / 60_000 + 2880,
      download: 10,
      upload: 5,
    };
    const states = async (missing: MissingFacts[], days: DailySum[]) => {
      const { data } = await verify(`${range}&agent=a`, days, { missing });
      return data.map((row: { state: string; missing: object[] }) => [row.state, row.missing.length]);
    };
    const balanced = { ...booked('a', 0, 910, 100), attributed: { download: 910, upload: 90 } };
    const days = [balanced, booked('a', 1, 400, 90), booked('a', 2, 60, 0)];
    // The running day lacks bytes as well, and takes none from the lots that are another's.
    expect(await states([{ ...lots, to: lots.to + 1440 }], days)).toEqual([
      ['balanced', 0],
      ['incomplete', 1],
      ['open', 1],
    ]);
    expect((await states([{ ...lots, download: 9 }], days))[1]).toEqual(['unbalanced', 1]);
    expect((await states([{ ...lots, from: lots.to }], days))[1]).toEqual(['unbalanced', 0]);
    const tooMuch = [balanced, booked('a', 1, 500, 90), booked('a', 2, 60, 0)];
    expect((await states([lots], tooMuch))[1]).toEqual(['unbalanced', 0]);
    // Bytes of a store made of records lie in other half hours than they moved in.
    expect((await states([{ ...lots, reason: 'rebuilt' }], tooMuch))[1]).toEqual(['incomplete', 1]);
  });

  it('never calls incomplete what cannot be, whatever is missing', async () => {
    const over = 2 * 1024 * 1024;
    const lots = { firstLot: 1, lastLot: 1, from: 0, to: D1 / 60_000 + 9000, download: over, upload: over };
    const { data } = await verify(`${range}&agent=a`, [booked('a', 1, 400 + over, -over)], {
      missing: [{ reason: 'rebuilt', ...lots }],
    });
    expect(data[1]).toMatchObject({ state: 'unbalanced', missing: [{ first_lot: 1 }] });
  });

  it('begins where retention has left everything, and says so', async () => {
    const keptFrom = D1 + DAY / 2;
    const { data, meta } = await verify(range, [], { keptFrom });
    expect(meta).toEqual({ range_cut: { from: keptFrom }, missing: [] });
    expect(data[0]).toMatchObject({ day: '2026-01-01', from: '2026-01-01T12:00:00.000Z' });
    const all = await verify('from=2025-12-01T00:00:00Z&to=2026-01-01T00:00:00Z', [], { keptFrom });
    expect(all.data).toEqual([]);
  });

  it('shows a remainder that cannot be as unbalanced, though the sums agree', async () => {
    const over = 2 * 1024 * 1024;
    const { data } = await verify(`${range}&agent=a`, [booked('a', 1, 500 + over, -over)]);
    expect(data.find((row: { day: string }) => row.day === '2026-01-02').state).toBe('unbalanced');
  });

  it('answers months, and ranges as one row, for one agent', async () => {
    const months = await verify(`${range}&group=month&agent=a`, [booked('a', 0, 1, 1)]);
    expect(months.data).toMatchObject([{ agent_id: 'a', day: '2026-01', core: { download: 1570 } }]);
    const whole = await verify(`${range}&group=range`, [booked('a', 0, 1, 1), booked('v1', 0, 1, 0)]);
    expect(whole.data.map((row: { day: string | null }) => row.day)).toEqual([null, null]);
    expect((await verify(`${range}&agent=v1`, [])).data).toEqual([]);
  });

  it('refuses more days than are kept', async () => {
    expect(await verify('from=1990-01-01T00:00:00Z', [])).toMatchObject({ code: 'query_too_large' });
  });

  it.each([
    ['day', '1990', 'use group=month or group=range'],
    ['day', '1900', 'use group=range'],
    ['month', '1900', 'use group=range'],
  ])('names only groups that fit: %s since %s', async (group, year, use) => {
    const { code, details } = await verify(`group=${group}&from=${year}-01-01T00:00:00Z`, []);
    expect(code).toBe('query_too_large');
    expect(details).toEqual([{ field: 'group', problem: `${use}, or less time between "from" and "to"` }]);
  });

  it('refuses more gaps than an answer should hold, where few gaps are in many periods', async () => {
    const gaps = Array.from({ length: 300 }, (_, i) => ({
      agentId: 'a',
      from: NOW - 400 * DAY + i,
      to: NOW - i,
      reason: 'stalled',
    }));
    const app = testApp(
      {},
      { records: { ...NO_RECORDS, agents: () => records.agents(), gaps: async () => gaps } },
    );
    const ask = async (query: string) =>
      (
        await app.inject({ url: `/api/v1/verify?from=2025-01-01T00:00:00Z&${query}`, headers: BEARER })
      ).json();
    expect(await ask('to=2026-01-01T00:00:00Z')).toMatchObject({
      code: 'query_too_large',
      details: [{ field: 'agent' }],
    });
    expect((await ask('to=2026-01-01T00:00:00Z&group=range')).data[0].gaps).toHaveLength(300);
  });

  it('says sums beyond what a JSON number holds as 2^53 − 1, never more', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    const big = (day: number): DailySum => ({ ...booked('a', day, most, most) });
    const { data } = await verify(`${range}&group=range&agent=a`, [big(0), big(1)]);
    expect(data).toHaveLength(1);
    const [row] = data;
    expect([row.attributed.download, row.unattributed.download]).toEqual([most, most]);
    expect(row.difference.download).toBe(1570 + 10 - most);
  });
});

describe('periods', () => {
  it('are days of the zone, 23 and 25 hours long where the clock is changed', () => {
    const hours = (from: string, to: string): number[] =>
      verifyPeriods('day', 'Europe/Berlin', Date.parse(from), Date.parse(to)).map(
        (period) => (period.to - period.from) / 3_600_000,
      );
    expect(hours('2026-03-28T23:00:00Z', '2026-03-30T22:00:00Z')).toEqual([23, 24]);
    expect(hours('2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z')).toEqual([25]);
  });

  it('meet without holes and cover the range, moved outwards to whole minutes', () => {
    const periods = verifyPeriods('day', 'Asia/Kathmandu', D1 + 7, D1 + 3 * DAY + 7);
    for (const [index, period] of periods.entries()) {
      expect(period.from % 60_000).toBe(0);
      if (index > 0) expect(period.from).toBe(periods[index - 1]?.to);
    }
    expect(periods[0]?.from).toBe(D1);
    expect(periods.at(-1)?.to).toBe(D1 + 3 * DAY + 60_000);
  });
});

describe('coverage', () => {
  it.each([
    [[], 1],
    [[[0, 100]], 0],
    [
      [
        [10, 20],
        [15, 30],
      ],
      0.8,
    ],
    [
      [
        [15, 30],
        [10, 40],
        [12, 14],
      ],
      0.7,
    ],
    [
      [
        [-50, 25],
        [75, 200],
      ],
      0.5,
    ],
  ])('without %o is %f', (gaps, share) => {
    const list = gaps.map(([from = 0, to = 0]) => ({ from, to }));
    expect(coverageOf({ from: 0, to: 100 }, list)).toBeCloseTo(share);
  });

  it('of nothing is unknown', () => expect(coverageOf({ from: 5, to: 5 }, [])).toBeNull());
});
