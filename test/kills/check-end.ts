import { DuckDBInstance } from '@duckdb/node-api';
import { openReader } from '../../src/common/sqlite.ts';
import type { TrueConnection } from '../../src/simulator/truth.ts';
import { hold } from '../support/hold.ts';
import type { RecordRow, RecordsFile } from '../support/records-file.ts';
import { ORIGINAL_AGENT } from './original.ts';
import type { AgentSlot, Answers, World } from './world.ts';

/** A connection that an agent watched for so long in one go has been flushed: twice the time between two flushes. */
const CERTAIN_MS = 10_000;
/** Around each death: what was seen since the flush before it, and until the first snapshot after it. */
const BLIND_MS = 5500;

/** The records of one agent against the truth of its core, and against its own journal. */
export function checkAgent(agent: AgentSlot, records: readonly RecordRow[]): void {
  const { truth } = agent.core.core;
  const mine = new Map(records.filter((row) => row.agent_id === agent.id).map((row) => [row.id, row]));
  for (const record of mine.values()) {
    const true_ = truth.connections.get(record.id);
    hold(true_ !== undefined, () => `${record.id} never was`);
    hold(
      record.down <= true_.listedDownload && record.up <= true_.listedUpload,
      () => `${record.id} has ${record.down}/${record.up}, above the truth`,
    );
    hold(record.counted === (true_.counted ? 1 : 0), () => `${record.id} is counted ${record.counted}`);
    hold(record.base_down === 0 && record.base_up === 0, () => `${record.id} has a base`);
    hold((record.closed_at === null) === (true_.closedAt === null), () => `${record.id}: closed or not?`);
    if (true_.closedAt !== null) continue;
    hold(record.down === true_.download && record.up === true_.upload, () => `open ${record.id} is behind`);
  }
  for (const true_ of truth.connections.values()) {
    if (mine.has(true_.id)) continue;
    hold(true_.closedAt !== null, () => `open ${true_.id} is missing`);
    hold(longestWatched(true_, agent) < CERTAIN_MS, () => `${true_.id} was watched and is missing`);
  }
  checkJournal(agent, mine);
}

function longestWatched(connection: TrueConnection, agent: AgentSlot): number {
  if (connection.listedAt === null) return 0;
  let from = connection.openedAt;
  let longest = 0;
  for (const blind of agent.blind) {
    longest = Math.max(longest, Math.min(connection.listedAt, blind.from - BLIND_MS) - from);
    from = Math.max(from, blind.to + BLIND_MS);
  }
  return Math.max(longest, connection.listedAt - from);
}

/** I3: what the journal has is what the master has, exactly. */
function checkJournal(agent: AgentSlot, records: ReadonlyMap<string, RecordRow>): void {
  const db = openReader(agent.journal);
  try {
    const rows = db
      .prepare(
        `SELECT c.id, max(c.conn_download, coalesce(max(s.down), 0)) AS down,
           max(c.conn_upload, coalesce(max(s.up), 0)) AS up
         FROM connections c LEFT JOIN samples s ON s.conn = c.key GROUP BY c.key`,
      )
      .all() as { id: string; down: number; up: number }[];
    for (const row of rows) {
      const record = records.get(row.id);
      hold(
        record?.down === row.down && record.up === row.up,
        () => `${row.id}: journal ${row.down}/${row.up}, master ${record?.down}/${record?.up}`,
      );
    }
    hold(rows.length === records.size, () => `journal ${rows.length} connections, master ${records.size}`);
  } finally {
    db.close();
  }
}

interface SumsRow {
  agent_id: string;
  down: number;
  up: number;
}

/** I2 against the truth: one run of the core that began at 0, all of it accepted, and all of it booked. */
export function checkTotals(agent: AgentSlot, file: RecordsFile): void {
  const { run } = agent.core.core.truth;
  const sumOf = (sql: string) => file.all<SumsRow>(sql).find((row) => row.agent_id === agent.id);
  const accepted = sumOf(
    'SELECT agent_id, sum(down) AS down, sum(up) AS up FROM core_totals GROUP BY agent_id',
  );
  const same = (sum: SumsRow | undefined) => sum?.down === run.download && sum.up === run.upload;
  hold(same(accepted), () => `accepted ${JSON.stringify(accepted)}, true ${run.download}/${run.upload}`);
  const booked = sumOf(
    'SELECT agent_id, sum(down) AS down, sum(up) AS up FROM pending_facts WHERE kind <> 1 GROUP BY agent_id',
  );
  hold(same(booked), () => `booked ${JSON.stringify(booked)}, true ${run.download}/${run.upload}`);
}

export function checkOriginals(world: World, records: readonly RecordRow[]): void {
  const imported = records.filter((row) => row.agent_id === ORIGINAL_AGENT);
  const { expected } = world.originals;
  hold(imported.length === expected.size, () => `${imported.length} of ${expected.size} rows`);
  for (const row of imported) {
    const original = expected.get(row.id);
    hold(row.down === original?.down && row.up === original.up, () => `${row.id} is not what it was`);
  }
}

export function checkAnswers(agent: AgentSlot, file: RecordsFile, answers: Answers): void {
  const [sum] = file.all<{ down: number; up: number; n: number }>(
    `SELECT sum(conn_download - base_down) AS down, sum(conn_upload - base_up) AS up, count(*) AS n
     FROM connections WHERE agent_id = '${agent.id}' AND counted = 1`,
  );
  const told = answers.sums[agent.id];
  hold(
    told?.download === sum?.down && told?.upload === sum?.up && told?.count === sum?.n,
    () => `/stats ${JSON.stringify(told)}, records ${JSON.stringify(sum)}`,
  );
  const days = answers.verify.filter((row) => row.agent_id === agent.id);
  hold(days.length > 0, () => '/verify does not know it');
  for (const { difference, state } of days) {
    hold(
      difference?.download === 0 && difference.upload === 0,
      () => `/verify ${JSON.stringify(difference)}`,
    );
    hold(state !== 'unbalanced', () => '/verify says unbalanced');
  }
}

/** Every lot is in the fact store once and whole, and its facts sum to the records, connection by connection. */
export async function checkFacts(path: string, file: RecordsFile): Promise<number> {
  const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const rows = async (sql: string) =>
    (await connection.runAndReadAll(sql)).getRows().map((row) => row.map(Number).join(' '));
  try {
    const compare = async (what: string, duck: string, sqlite: string) => {
      const stored = await rows(duck);
      const known = file.all<Record<string, number>>(sqlite).map((row) => Object.values(row).join(' '));
      const there = new Set(stored);
      const missing = known.filter((row) => !there.has(row));
      hold(
        missing.length === 0 && stored.length === known.length,
        () =>
          `${what}: ${stored.length} stored, ${known.length} known, missing ${missing.slice(0, 5).join('; ')}`,
      );
      return stored.length;
    };
    const lots = await compare(
      'lots',
      "SELECT lot, rows, down, up FROM lots WHERE state = 'ok'",
      "SELECT lot, rows, down, up FROM lots WHERE state = 'flushed'",
    );
    const facts = `SELECT lot, 0 AS kind, conn, bucket, down, up, conns FROM minute
      UNION ALL SELECT lot, kind, conn, bucket, down, up, conns FROM minute_aside`;
    const sums = 'sum(down) AS down, sum(up) AS up, sum(conns) AS conns';
    await compare(
      'facts',
      `SELECT lot, kind, conn, bucket, ${sums} FROM (${facts}) GROUP BY ALL`,
      `SELECT lot, kind, conn, bucket, ${sums} FROM pending_facts GROUP BY lot, kind, conn, bucket`,
    );
    await compare(
      'connections',
      `SELECT conn, sum(down), sum(up) FROM (${facts}) WHERE conn > 0 GROUP BY conn`,
      'SELECT num, conn_download - base_down AS down, conn_upload - base_up AS up FROM connections',
    );
    return lots;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
