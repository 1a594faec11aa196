import type { Sqlite } from '../../common/sqlite.ts';
import { HALF_HOUR, MINUTE_MS, minuteOf, splitOverMinutes, stepFor } from '../../domain/bucket.ts';
import { allStored } from '../layout/earlier-rows.ts';
import type { RecordsSource } from '../store/rebuild.ts';
import { type Fact, type Lot, MAX_CHUNK } from '../store/store.ts';
import { FactTexts, FIELD_COLUMNS } from './fact-fields.ts';
import { Lots } from './lots.ts';
import { type FactRow, fieldsOf } from './packed-facts.ts';

/**
 * A record, what the kept facts of it hold, and where they begin: `prev` of the first of them is the bucket of the
 * newest fact that is not kept. Values of FACT_FIELDS follow.
 */
const COLUMNS = ['num', 'agent_id', 'counted', 'down', 'up', 'start', 'last', 'based', 'prev'] as const;

const READ = [
  ...[
    'num',
    'agent_id',
    'counted',
    'conn_download',
    'conn_upload',
    'base_down',
    'base_up',
    'start_ms',
    'last_bucket',
  ],
  ...FIELD_COLUMNS,
];

/** Facts of a connection come in order, so the kept ones are its newest; `min(seq)` chooses the first of them. */
function recordsOf(db: Sqlite): string {
  return `SELECT c.num, c.agent_id, c.counted,
      c.conn_download - c.base_down - coalesce(k.down, 0), c.conn_upload - c.base_up - coalesce(k.up, 0),
      c.start_ms, c.last_bucket, c.base_down > 0 OR c.base_up > 0, k.prev, ${FIELD_COLUMNS.map((column) => `c.${column}`).join(', ')}
    FROM ${allStored(db, READ)} c LEFT JOIN (
      SELECT conn, sum(down) AS down, sum(up) AS up, min(seq), prev FROM pending_facts
      WHERE conn > 0 AND (lot IS NULL OR lot > ?) GROUP BY conn) AS k ON k.conn = c.num
    ORDER BY c.num`;
}

/** What one record says of its facts that are not kept; buckets are minutes. */
interface Remainder {
  download: number;
  upload: number;
  /** Bucket of the first and the last of them. */
  first: number;
  last: number;
}

/** A fact's time and bytes, of one connection. */
type Share = Pick<Fact, 'bucket' | 'prev' | 'download' | 'upload'>;

/**
 * Spreads what is known of a connection evenly over the half hours between its first and its last fact, as bytes of a
 * gap are, in wider steps if there are many: sums are exact, and the first and the last step have it whatever it moved.
 */
export function coarseShares({ download, upload, first, last }: Remainder): Share[] {
  const from = first * MINUTE_MS;
  const to = (last + 1) * MINUTE_MS;
  const step = Math.max(HALF_HOUR, stepFor(last + 1 - first));
  const up = splitOverMinutes(upload, from, to, step);
  const shares = splitOverMinutes(download, from, to, step).map(({ minute, bytes }, index) => ({
    bucket: minute,
    download: bytes,
    upload: up[index]?.bytes ?? 0,
  }));
  let prev = 0;
  return shares
    .filter((share, index) => {
      const border = index === 0 || index === shares.length - 1;
      return border || share.download !== 0 || share.upload !== 0;
    })
    .map((share) => {
      const placed = { ...share, prev };
      prev = share.bucket;
      return placed;
    });
}

/**
 * The records database, read for facts that can be made of it: of each connection a total, a start and an end. What
 * lots hold whose rows are still kept is left out, for those lots are flushed as they are.
 */
export class RecordsAsFacts implements RecordsSource {
  readonly #db: Sqlite;
  readonly #lots: Lots;
  readonly #forgotten: number;

  constructor(db: Sqlite) {
    this.#db = db;
    this.#lots = new Lots(db);
    // Lots before the newest that is gone could not be flushed after it.
    const newest = db.prepare("SELECT coalesce(max(lot), 0) FROM lots WHERE state = 'dropped'").pluck().get();
    this.#forgotten = newest as number;
  }

  storeId(): string {
    return this.#lots.storeId();
  }

  bytes(): number {
    const size = 'SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()';
    return this.#db.prepare(size).pluck().get() as number;
  }

  *lots(): Generator<Lot[]> {
    for (let after = 0; after < this.#forgotten; ) {
      const page = this.#lots.upTo(this.#forgotten, after, MAX_CHUNK);
      yield page;
      after = page.at(-1)?.lot ?? this.#forgotten;
    }
  }

  *facts(): Generator<{ facts: Fact[]; bytes: number }> {
    const begins = this.#begins();
    const texts = new FactTexts(this.#db, [...COLUMNS, ...FIELD_COLUMNS]);
    const newest = this.#db
      .prepare(`SELECT max(num) FROM ${allStored(this.#db, ['num'])}`)
      .pluck()
      .get() as number | null;
    const bytesPerRecord = this.bytes() / (newest ?? 1);
    let facts: Fact[] = [];
    // One statement from begin to end: nobody writes meanwhile, and the join is made once.
    const records = this.#db.prepare(recordsOf(this.#db)).raw().iterate(this.#forgotten) as Iterable<FactRow>;
    for (const row of records) {
      facts.push(...factsOf(texts.into(row), begins));
      while (facts.length >= MAX_CHUNK) {
        yield { facts: facts.slice(0, MAX_CHUNK), bytes: Math.round(Number(row[0]) * bytesPerRecord) };
        facts = facts.slice(MAX_CHUNK);
      }
    }
    yield { facts, bytes: this.bytes() };
  }

  /** The first minute of each agent's books: history from before it is no fact (A4). */
  #begins(): Map<string, number> {
    const rows = this.#db.prepare('SELECT agent_id, min(minute) FROM core_totals GROUP BY 1').raw().all();
    return new Map(rows as [string, number][]);
  }
}

function factsOf(row: FactRow, begins: ReadonlyMap<string, number>): Fact[] {
  const [conn, agentId, counted, download, upload, start, newest, based, prev] = row;
  // The facts that are kept begin after `last`; without any, the record says itself when it moved last.
  const last = Number(prev ?? newest);
  if (last === 0) return [];
  const agent = String(agentId);
  const earliest = Number(based) === 1 ? (begins.get(agent) ?? 0) : 0;
  const started = start === null || Number(start) === 0 ? last : minuteOf(Number(start));
  const first = Math.min(last, Math.max(started, earliest));
  const fields = fieldsOf(row.slice(COLUMNS.length));
  return coarseShares({ download: Number(download), upload: Number(upload), first, last }).map((share) => ({
    ...share,
    conn: Number(conn),
    kind: Number(counted) === 1 ? 0 : 1,
    recovered: true,
    conns: 1,
    agent,
    fields,
  }));
}
