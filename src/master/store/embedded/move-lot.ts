import type { DuckDBConnection } from '@duckdb/node-api';
import type { Lot } from '../store.ts';
import { COLUMNS, DICTIONARIES, entryColumns, FACT_TABLES, quoted } from './schema.ts';
import { keyList, type Stage, stageTable } from './stage.ts';

/** Entries that no lot has brought yet, in the order in which the facts name them. */
function newEntries(): string[] {
  return DICTIONARIES.map((dictionary) => {
    const columns = entryColumns(dictionary).map(({ name }) => quoted(name));
    const next = `(SELECT coalesce(max(id), 0) FROM ${dictionary})`;
    return `INSERT INTO ${dictionary} (id, ${columns.join(', ')})
      SELECT ${next} + row_number() OVER (ORDER BY number), ${columns.join(', ')}
      FROM ${stageTable(dictionary)} ANTI JOIN ${dictionary} USING (${keyList(dictionary)})`;
  });
}

/**
 * Staged facts of the wanted kinds as rows of a fact table, dictionary numbers replaced by ids. Facts of one
 * connection that differ in nothing but their bytes become one row.
 */
function moveFacts(table: string, kinds: 'kind = 0' | 'kind <> 0'): string {
  const ids = DICTIONARIES.map(
    (dictionary) => `${dictionary}_ids AS MATERIALIZED (
      SELECT number, id FROM ${stageTable(dictionary)} JOIN ${dictionary} USING (${keyList(dictionary)}))`,
  );
  const joins = COLUMNS.filter(({ dictionary }) => dictionary).map(
    ({ name, dictionary }) => `JOIN ${dictionary}_ids AS j_${name} ON j_${name}.number = s.${quoted(name)}`,
  );
  const dimensions = COLUMNS.map(({ name, dictionary }) =>
    dictionary ? `j_${name}.id AS ${quoted(name)}` : `s.${quoted(name)}`,
  );
  const kind = kinds === 'kind <> 0' ? 's.kind, ' : '';
  return `INSERT INTO ${table} BY NAME WITH ${ids.join(', ')}
    SELECT ${kind}s.conn, $1::INTEGER AS lot, s.bucket, s.prev, ${dimensions.join(', ')}, s.recovered,
      sum(s.up)::BIGINT AS up, sum(s.down)::BIGINT AS down, sum(s.conns)::INTEGER AS conns
    FROM stage AS s ${joins.join(' ')} WHERE s.${kinds} GROUP BY ALL ORDER BY s.bucket, s.conn`;
}

/** The books of the lot: what was staged and what now lies in the tables must be the same to the byte. */
const BALANCE = `
  WITH moved AS (
    SELECT up, down, conns FROM ${FACT_TABLES.counted} WHERE lot = $1::INTEGER
    UNION ALL SELECT up, down, conns FROM ${FACT_TABLES.aside} WHERE lot = $1::INTEGER)
  SELECT (SELECT (coalesce(sum(up), 0), coalesce(sum(down), 0), coalesce(sum(conns), 0)) FROM moved)
       = (SELECT (coalesce(sum(up), 0), coalesce(sum(down), 0), coalesce(sum(conns), 0)) FROM stage)`;

const NEW_ENTRIES = newEntries();
const MOVE_COUNTED = moveFacts(FACT_TABLES.counted, 'kind = 0');
const MOVE_ASIDE = moveFacts(FACT_TABLES.aside, 'kind <> 0');

/**
 * Moves staged facts into the file, with the dictionary entries that they bring. To be run inside a transaction;
 * throws when the books of the lot do not balance: nothing else may stand under its number.
 */
export async function moveStaged(connection: DuckDBConnection, lot: number, stage: Stage): Promise<void> {
  for (const statement of NEW_ENTRIES) await connection.run(statement);
  await connection.run(MOVE_COUNTED, [lot]);
  if (stage.aside) await connection.run(MOVE_ASIDE, [lot]);
  const balance = await connection.runAndReadAll(BALANCE, [lot]);
  if (balance.getColumns()[0]?.[0] !== true) {
    throw new Error(`lot ${lot}: the stored facts do not sum to the given ones`);
  }
}

/** The same, with the lot's own row. */
export async function moveLot(
  connection: DuckDBConnection,
  lot: Lot,
  stage: Stage,
  now: number,
): Promise<void> {
  await moveStaged(connection, lot.lot, stage);
  await insertLot(connection, lot, 'ok', now);
}

export async function insertLot(
  connection: DuckDBConnection,
  lot: Lot,
  state: 'ok' | 'gap',
  now: number,
): Promise<void> {
  await connection.run(
    `INSERT INTO lots (lot, token, state, rows, flushed_at, first_bucket, last_bucket, up, down)
     VALUES ($1::INTEGER, $2::UBIGINT, $3, $4::INTEGER, $5::BIGINT, $6::INTEGER, $7::INTEGER, $8::BIGINT, $9::BIGINT)`,
    [
      lot.lot,
      tokenNumber(lot.token),
      state,
      lot.rows,
      BigInt(now),
      lot.firstBucket,
      lot.lastBucket,
      BigInt(lot.upload),
      BigInt(lot.download),
    ],
  );
}

/** Tokens are 64 random bits: 16 hexadecimal digits outside, one number in the file. */
export function tokenNumber(token: string): bigint {
  if (!/^[0-9a-f]{16}$/.test(token)) throw new Error(`a token has 16 hexadecimal digits, not ${token}`);
  return BigInt(`0x${token}`);
}

export function tokenText(token: bigint): string {
  return token.toString(16).padStart(16, '0');
}
