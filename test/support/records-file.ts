import { openReader, type Sqlite } from '../../src/common/sqlite.ts';
import { hold } from './hold.ts';

export interface RecordRow {
  num: number;
  id: string;
  agent_id: string;
  counted: number;
  down: number;
  up: number;
  base_down: number;
  base_up: number;
  closed_at: number | null;
}

/** What one committed state of the master's records says, read in one go while the master works. */
export class RecordsFile {
  readonly #db: Sqlite;
  readonly #before: Map<string, RecordRow>;

  /** `before`: counters seen earlier, brought up to date by `balanced`. */
  constructor(path: string, before: Map<string, RecordRow> = new Map()) {
    this.#db = openReader(path);
    this.#before = before;
  }

  close(): void {
    this.#db.close();
  }

  records(): RecordRow[] {
    return this.#db
      .prepare(
        `SELECT num, id, agent_id, counted, conn_download AS down, conn_upload AS up, base_down, base_up, closed_at
         FROM connections WHERE imported IS NULL OR imported = 1`,
      )
      .all() as RecordRow[];
  }

  all<T>(sql: string): T[] {
    return this.#db.prepare(sql).all() as T[];
  }

  /** I1, I2 on the master, complete lots, counters that never fall: true at every commit, whoever dies. */
  balanced(): void {
    this.#db.transaction(() => {
      const facts = new Map(
        this.all<{ conn: number; down: number; up: number; conns: number }>(
          `SELECT conn, sum(down) AS down, sum(up) AS up, sum(conns) AS conns FROM pending_facts WHERE conn > 0 GROUP BY conn`,
        ).map((row) => [row.conn, row]),
      );
      for (const record of this.records()) {
        const booked = facts.get(record.num);
        hold(
          booked !== undefined &&
            booked.down === record.down - record.base_down &&
            booked.up === record.up - record.base_up &&
            booked.conns > 0,
          () =>
            `${record.agent_id} ${record.id}: facts ${JSON.stringify(booked)}, record ${JSON.stringify(record)}`,
        );
        const key = `${record.agent_id} ${record.id}`;
        const before = this.#before.get(key);
        hold(
          before === undefined || (record.down >= before.down && record.up >= before.up),
          () => `${key} fell from ${before?.down} to ${record.down}`,
        );
        this.#before.set(key, record);
      }
      hold(this.#before.size === this.records().length, () => 'records are gone');
      const unbalanced = this.all(
        `SELECT agent_id, sum(down) AS down, sum(up) AS up FROM (
           SELECT agent_id, down, up FROM pending_facts WHERE kind <> 1
           UNION ALL SELECT agent_id, -down - unmeasured_down, -up - unmeasured_up FROM core_totals)
         GROUP BY agent_id HAVING sum(down) <> 0 OR sum(up) <> 0`,
      );
      hold(unbalanced.length === 0, () => `books: ${JSON.stringify(unbalanced)}`);
      const lots = this.all(
        `SELECT lot, rows, down, up FROM lots
         EXCEPT SELECT lot, count(*), sum(down), sum(up) FROM pending_facts WHERE lot IS NOT NULL GROUP BY lot`,
      );
      hold(lots.length === 0, () => `lots: ${JSON.stringify(lots)}`);
    })();
  }
}
