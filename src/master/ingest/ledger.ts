import type { Statement } from 'better-sqlite3';
import type { Sqlite } from '../../common/sqlite.ts';
import type { Bytes } from '../../domain/connection.ts';
import type { Booking, FactOwner } from './record.ts';

interface MinuteSums {
  /** Totals' increase − covered: what becomes unattributed. */
  unattributed: Bytes;
  core: Bytes;
  /** Booked but in no stream's totals; below 0 where it takes back an earlier minute, or several streams' totals overlap. */
  unmeasured: Bytes;
}

/** Facts of one statement: the call into SQLite costs as much as a row. */
const ROWS = 64;
const COLUMNS = ['conn', 'kind', 'bucket', 'prev', 'recovered', 'down', 'up', 'conns', 'agent_id'] as const;

const insert = (rows: number) =>
  `INSERT INTO pending_facts (${COLUMNS.join(', ')})
   VALUES ${new Array(rows).fill(`(${COLUMNS.map(() => '?').join(', ')})`).join(', ')}`;

/**
 * What one merge transaction books besides records: facts on their way, and per agent and minute the three sums of
 * which `core + unmeasured = attributed + unattributed` holds exactly, because all four are written here, once.
 */
export class Ledger {
  readonly #insertMany: Statement;
  readonly #insertOne: Statement;
  readonly #totals: Statement;
  readonly #minutes = new Map<string, Map<number, MinuteSums>>();
  /** Facts not yet given to SQLite, value by value. */
  #facts: (number | string)[] = [];
  #rows = 0;

  constructor(db: Sqlite) {
    this.#insertMany = db.prepare(insert(ROWS));
    this.#insertOne = db.prepare(insert(1));
    this.#totals = db.prepare(
      `INSERT INTO core_totals (agent_id, minute, down, up, unmeasured_down, unmeasured_up) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (agent_id, minute) DO UPDATE SET down = down + excluded.down, up = up + excluded.up,
         unmeasured_down = unmeasured_down + excluded.unmeasured_down,
         unmeasured_up = unmeasured_up + excluded.unmeasured_up`,
    );
  }

  /** Facts written since it was asked last. */
  takeRows(): number {
    const rows = this.#rows;
    this.#rows = 0;
    return rows;
  }

  reset(): void {
    this.#minutes.clear();
    this.#facts = [];
    this.#rows = 0;
  }

  #insert(...values: (number | string)[]): void {
    this.#rows++;
    this.#facts.push(...values);
    if (this.#facts.length < ROWS * COLUMNS.length) return;
    this.#insertMany.run(this.#facts);
    this.#facts = [];
  }

  #minute(agentId: string, minute: number): MinuteSums {
    let minutes = this.#minutes.get(agentId);
    if (minutes === undefined) {
      minutes = new Map();
      this.#minutes.set(agentId, minutes);
    }
    let sums = minutes.get(minute);
    if (sums === undefined) {
      const none = (): Bytes => ({ download: 0, upload: 0 });
      sums = { unattributed: none(), core: none(), unmeasured: none() };
      minutes.set(minute, sums);
    }
    return sums;
  }

  /** Books what a sample yielded. Overlay repeats bytes of others: it becomes facts, and enters no sum. */
  book(record: FactOwner, booking: Booking): void {
    for (const fact of booking.facts) {
      this.#insert(
        record.num,
        record.counted ? 0 : 1,
        fact.bucket,
        fact.prev,
        fact.recovered ? 1 : 0,
        fact.download,
        fact.upload,
        fact.conns,
        record.agentId,
      );
    }
    if (!record.counted) return;
    this.#repeat(record.agentId, booking);
    const { booked, covered } = booking;
    if (booked.download === 0 && booked.upload === 0) return;
    const sums = this.#minute(record.agentId, booking.bucket);
    sums.unattributed.download -= covered.download;
    sums.unattributed.upload -= covered.upload;
    sums.unmeasured.download += booked.download - covered.download;
    sums.unmeasured.upload += booked.upload - covered.upload;
  }

  /**
   * A journal's totals turn out to cover what was booked as unmeasured before, or from another journal. There is no fact
   * to go by, so it is netted in the sample's minute, where the totals have it.
   */
  #repeat(agentId: string, { minute, repeated }: Booking): void {
    if (repeated.download === 0 && repeated.upload === 0) return;
    const { unattributed, unmeasured } = this.#minute(agentId, minute);
    for (const sums of [unattributed, unmeasured]) {
      sums.download -= repeated.download;
      sums.upload -= repeated.upload;
    }
  }

  /** The core's totals rose by so much in that minute. */
  total(agentId: string, minute: number, increase: Bytes): void {
    const sums = this.#minute(agentId, minute);
    sums.core.download += increase.download;
    sums.core.upload += increase.upload;
    sums.unattributed.download += increase.download;
    sums.unattributed.upload += increase.upload;
  }

  /**
   * Writes what is left of the facts, and the minutes, netted: one unattributed fact for each that is not zero. Call
   * once per transaction.
   */
  write(): void {
    for (const [agentId, minutes] of this.#minutes) {
      for (const [minute, sums] of minutes) {
        const { unattributed, core, unmeasured } = sums;
        if (unattributed.download !== 0 || unattributed.upload !== 0) {
          this.#insert(0, 2, minute, 0, 0, unattributed.download, unattributed.upload, 0, agentId);
        }
        if (core.download || core.upload || unmeasured.download || unmeasured.upload) {
          this.#totals.run(
            agentId,
            minute,
            core.download,
            core.upload,
            unmeasured.download,
            unmeasured.upload,
          );
        }
      }
    }
    this.#minutes.clear();
    for (let at = 0; at < this.#facts.length; at += COLUMNS.length) {
      this.#insertOne.run(this.#facts.slice(at, at + COLUMNS.length));
    }
    this.#facts = [];
  }
}
