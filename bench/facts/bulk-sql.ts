import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { emptyFields } from '../../src/domain/connection.ts';
import { FACT_COLUMNS, type FactColumn } from '../../src/domain/fact-columns.ts';
import { LOT_ROWS } from '../../src/master/ingest/lots.ts';
import { FACT_TABLES } from '../../src/master/store/embedded/schema.ts';
import { arrivalSql, OUTAGE } from './arrival.ts';
import { SHARED_FIELDS } from './fields.ts';
import type { Recipe } from './generator.ts';

/** Temporary tables of the world, by place, and of the connections that may still have facts to come. */
export const TABLES = [
  'CREATE TEMP TABLE of_device (device INTEGER, agent INTEGER, name VARCHAR, ip INTEGER, conn_type VARCHAR, inbound_name VARCHAR, inbound_user VARCHAR)',
  'CREATE TEMP TABLE of_host (host INTEGER, port USMALLINT, network VARCHAR, rule INTEGER)',
  'CREATE TEMP TABLE of_address (address INTEGER, ip INTEGER, country VARCHAR, asn VARCHAR)',
  'CREATE TEMP TABLE of_program (program INTEGER, process VARCHAR)',
  `CREATE TEMP TABLE open (number BIGINT, first_minute INTEGER, minutes INTEGER, device INTEGER, host INTEGER,
     address INTEGER, chain INTEGER, program INTEGER, overlay BOOLEAN, up BIGINT, down BIGINT)`,
  'CREATE TEMP TABLE unattributed (arrival INTEGER, bucket INTEGER, agent INTEGER, up BIGINT, down BIGINT)',
];

/** Facts of an hour in the order in which they arrive: the bytes of each connection spread over its minutes. */
export function factsOfHour(recipe: Recipe): string {
  const soFar = (bytes: string, minute: string) => `${bytes} * ${minute} // minutes`;
  const share = (bytes: string) => `${soFar(bytes, '(k + 1)')} - ${soFar(bytes, 'k')}`;
  return `CREATE OR REPLACE TEMP TABLE facts AS
    WITH pieces AS (
      SELECT *, unnest(range(greatest(0, $1::INTEGER - ${OUTAGE} - first_minute),
        least(minutes, $2::INTEGER - first_minute)))::INTEGER AS k FROM open),
    counted AS (
      SELECT CASE WHEN overlay THEN 1 ELSE 0 END AS kind, number AS conn, first_minute + k AS bucket,
        ${arrivalSql(recipe, 'agent', '(first_minute + k)')} AS arrival,
        CASE WHEN k = 0 THEN 0 ELSE first_minute + k - 1 END AS prev,
        device, host, address, chain, program, ${share('up')} AS up, ${share('down')} AS down, 1 AS conns
      FROM pieces JOIN of_device USING (device))
    SELECT * FROM counted WHERE arrival >= $1::INTEGER AND arrival < $2::INTEGER
    UNION ALL BY NAME
    SELECT 2 AS kind, 0 AS conn, bucket, arrival, 0 AS prev, agent AS device, up, down, 0 AS conns
    FROM unattributed WHERE arrival >= $1::INTEGER AND arrival < $2::INTEGER
    ORDER BY arrival, bucket, conn`;
}

/** The first lot of each minute of an hour, and where its facts begin; a lot has so many of them at most. */
export const FIRST_LOTS = `CREATE OR REPLACE TEMP TABLE first_lots AS
  WITH minutes AS (SELECT arrival, min(rowid) AS begin, (count(*) - 1) // ${LOT_ROWS} + 1 AS lots FROM facts GROUP BY arrival)
  SELECT arrival, begin, $1::BIGINT + 1 + coalesce(sum(lots) OVER (
    ORDER BY arrival ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS lot FROM minutes`;

const LOT = `(lot + (f.rowid - begin) // ${LOT_ROWS})::INTEGER AS lot`;
const IN_ORDER = 'ORDER BY f.rowid';

/** What tells connections apart, by column of facts. */
const VARIED: Readonly<Record<string, string>> = {
  agent: 'd.name',
  device: 'd.ip',
  host: 'host',
  destination_ip: 'a.ip',
  destination_port: 'port',
  rule: 'rule + 1',
  chain: 'chain + 1',
  process: 'process',
  network: 'network',
  conn_type: 'conn_type',
  inbound_name: 'inbound_name',
  inbound_user: 'inbound_user',
  country: 'country',
  asn: 'asn',
};

/** A column that is the same in all facts of connections; one of a dictionary can be none. */
function shared({ name, dictionary, read }: FactColumn): string {
  if (dictionary !== undefined) throw new Error(`nothing says which entries facts have in ${name}`);
  const value = read({ agent: '', fields: { ...emptyFields(''), ...SHARED_FIELDS } });
  return `'${String(value).replaceAll("'", "''")}'`;
}

/** Facts of connections with what their places stand for. */
function described(table: string, more: Record<string, string>): string {
  const texts = { ...VARIED, ...more };
  const others = FACT_COLUMNS.filter(({ name }) => !(name in texts));
  const columns = [...Object.entries(texts), ...others.map((column) => [column.name, shared(column)])]
    .map(([name, value]) => `${value} AS "${name}"`)
    .join(', ');
  return `INSERT INTO ${table} BY NAME
    SELECT ${columns}, conn, ${LOT}, bucket, prev, false AS recovered, up, down, conns
    FROM facts AS f JOIN first_lots USING (arrival) JOIN of_device AS d USING (device) JOIN of_host USING (host)
      JOIN of_address AS a USING (address) JOIN of_program USING (program)
    WHERE kind = ${more.kind ?? 0} ${IN_ORDER}`;
}

export const COUNTED = described(FACT_TABLES.counted, {});
export const OVERLAY = described(FACT_TABLES.aside, { kind: '1', process: "''", conn_type: "'Inner'" });
/** Of no connection: every other column has its default. */
export const UNATTRIBUTED = `INSERT INTO ${FACT_TABLES.aside} BY NAME
  SELECT kind, conn, ${LOT}, bucket, prev, name AS agent, false AS recovered, up, down, conns
  FROM facts AS f JOIN first_lots USING (arrival) JOIN (SELECT agent AS device, any_value(name) AS name FROM of_device
    GROUP BY agent) USING (device) WHERE kind = 2 ${IN_ORDER}`;

export const ADD_LOTS = `INSERT INTO lots BY NAME
  SELECT lot, hash(lot, $1::INTEGER) AS token, 'ok' AS state, count(*)::INTEGER AS rows,
    ((any_value(arrival)::BIGINT + 1) * ${MINUTE_MS}) AS flushed_at, min(bucket) AS first_bucket, max(bucket) AS last_bucket,
    sum(up)::BIGINT AS up, sum(down)::BIGINT AS down
  FROM (SELECT arrival, bucket, up, down, ${LOT} FROM facts AS f JOIN first_lots USING (arrival)) GROUP BY lot ORDER BY lot`;
