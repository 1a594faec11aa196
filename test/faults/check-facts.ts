import type { Sqlite } from '../../src/common/sqlite.ts';
import { FACT_COLUMNS } from '../../src/domain/fact-columns.ts';
import type { EmbeddedFactStore } from '../../src/master/store/embedded/embedded-fact-store.ts';
import type { FactRow } from './check.ts';

const COLUMNS = 'conn, bucket, prev, recovered, agent, lot, up, down, conns';

function keyOf(row: {
  agent: string;
  kind: number;
  conn: number;
  bucket: number;
  recovered: boolean;
}): string {
  return `${row.agent} kind ${row.kind} conn ${row.conn} bucket ${row.bucket}${row.recovered ? ' recovered' : ''}`;
}

function sumsOf(
  rows: Iterable<{ key: string; down: number; up: number; conns: number }>,
): Map<string, string> {
  const sums = new Map<string, { down: number; up: number; conns: number }>();
  for (const row of rows) {
    const sum = sums.get(row.key) ?? { down: 0, up: 0, conns: 0 };
    sums.set(row.key, { down: sum.down + row.down, up: sum.up + row.up, conns: sum.conns + row.conns });
  }
  return new Map([...sums].map(([key, sum]) => [key, `${sum.down}/${sum.up} ×${sum.conns}`]));
}

/**
 * The fact store has what was merged: per connection, bucket, kind and whether it is recovered, but for lots that
 * it knows as gaps, and those are lots that the records no longer keep. Counts are exact.
 */
export async function checkFacts(
  store: EmbeddedFactStore,
  db: Sqlite,
  merged: FactRow[],
  recordsRestored: boolean,
): Promise<number> {
  const rows = await store.read((run) =>
    run({
      text: `SELECT 0 AS kind, ${COLUMNS} FROM minute UNION ALL SELECT kind, ${COLUMNS} FROM minute_aside`,
      values: [],
    }),
  );
  const stored = rows.map((row) => ({
    kind: Number(row.kind),
    conn: Number(row.conn),
    bucket: Number(row.bucket),
    prev: Number(row.prev),
    recovered: row.recovered === true,
    agent: String(row.agent),
    down: Number(row.down),
    up: Number(row.up),
    conns: Number(row.conns),
  }));
  const gaps = new Set(
    (await store.lots(1_000_000)).filter((lot) => lot.state === 'gap').map((lot) => lot.lot),
  );
  const dropped = db.prepare("SELECT lot FROM lots WHERE state = 'dropped'").pluck().all() as number[];
  for (const lot of recordsRestored ? [] : gaps)
    if (!dropped.includes(lot)) throw new Error(`facts: lot ${lot} is a gap, but still kept`);

  const kept = merged
    .filter((fact) => !gaps.has(fact.lot))
    .map((fact) => ({ ...fact, agent: fact.agent_id, recovered: fact.recovered === 1 }));
  const expected = sumsOf(kept.map((fact) => ({ ...fact, key: keyOf(fact) })));
  const found = sumsOf(stored.map((fact) => ({ ...fact, key: keyOf(fact) })));
  for (const [key, sum] of expected) {
    if (found.get(key) !== sum) throw new Error(`facts: ${key} merged ${sum}, stored ${found.get(key)}`);
  }
  if (found.size !== expected.size)
    throw new Error(`facts: ${found.size} sums stored, ${expected.size} merged`);
  return expected.size + countsAreExact(stored, gaps.size > 0) + (await tiersAgree(store));
}

const DIMENSIONS = FACT_COLUMNS.map(({ name }) => `"${name}"`).join(', ');

/**
 * I4: half hours hold what minutes hold, for all dimensions together, and count each connection in the same half hours
 * after the same one before; from that follow the counts of all intervals with bounds on half hours.
 */
async function tiersAgree(store: EmbeddedFactStore): Promise<number> {
  let sums = 0;
  for (const aside of ['', '_aside']) {
    const kind = aside === '' ? '' : 'kind, ';
    const text = `WITH
      s AS (SELECT 1 AS sign, ${kind}bucket, prev, recovered, ${DIMENSIONS}, up, down, conns FROM half_hour${aside}
        UNION ALL SELECT -1, ${kind}bucket // 30 * 30, prev // 30 * 30, recovered, ${DIMENSIONS}, up, down, conns
          FROM minute${aside}),
      bytes AS (SELECT ${kind}bucket, recovered, ${DIMENSIONS}, sum(sign * up) AS u, sum(sign * down) AS d
        FROM s GROUP BY ALL),
      counts AS (SELECT ${kind}bucket, prev, ${DIMENSIONS}, sum(sign * conns) AS n FROM s WHERE prev < bucket GROUP BY ALL)
      SELECT (SELECT count(*) FROM bytes) + (SELECT count(*) FROM counts) AS sums,
        (SELECT count(*) FROM bytes WHERE u <> 0 OR d <> 0) + (SELECT count(*) FROM counts WHERE n <> 0) AS differ`;
    const rows = await store.read((run) => run({ text, values: [] }));
    const differ = Number(rows[0]?.differ);
    if (differ > 0) throw new Error(`I4: ${differ} sums of half_hour${aside} are not those of the minutes`);
    sums += Number(rows[0]?.sums);
  }
  return sums;
}

/** A connection counts once in any interval, by `prev`: here in all that begin at some bucket. */
function countsAreExact(
  stored: { kind: number; conn: number; bucket: number; prev: number; conns: number }[],
  incomplete: boolean,
): number {
  if (incomplete) return 0;
  const facts = stored.filter((fact) => fact.kind === 0);
  const buckets = [...new Set(facts.map((fact) => fact.bucket))];
  for (const from of buckets.slice(0, 20)) {
    const inside = facts.filter((fact) => fact.bucket >= from);
    const counted = inside.reduce((sum, fact) => sum + (fact.prev < from ? fact.conns : 0), 0);
    const distinct = new Set(inside.map((fact) => fact.conn)).size;
    if (counted !== distinct)
      throw new Error(`facts: ${counted} connections counted since ${from}, not ${distinct}`);
  }
  return buckets.length;
}
