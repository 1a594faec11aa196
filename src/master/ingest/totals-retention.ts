import { inTransaction, prepared, type Sqlite, safeSum } from '../../common/sqlite.ts';
import { HALF_HOUR } from '../../domain/bucket.ts';
import type { TotalsBorders } from '../store/maintenance.ts';

const DAY = 1440;
/** Rows that one step removes; one that makes half hours takes those of a day, which are no more than 1,440. */
const REMOVED_ROWS = 1000;

/** Where a pass over all agents goes on. */
export interface TotalsPart {
  readonly agent: string;
}

const SUMS = ['down', 'up', 'unmeasured_down', 'unmeasured_up'];

const FIRST_AGENT = 'SELECT agent_id FROM core_totals ORDER BY agent_id LIMIT 1';
const NEXT_AGENT = 'SELECT agent_id FROM core_totals WHERE agent_id > ? ORDER BY agent_id LIMIT 1';

const OLD = 'FROM core_totals WHERE agent_id = ? AND minute < ?';
const LAST_REMOVED = `SELECT minute ${OLD} ORDER BY minute LIMIT 1 OFFSET ${REMOVED_ROWS - 1}`;
const OLDEST_MINUTE = `SELECT min(minute) ${OLD} AND minute % ${HALF_HOUR} <> 0`;

const OF_DAY = 'FROM core_totals WHERE agent_id = ? AND minute >= ? AND minute < ?';
/** The row of a half hour's first minute is one of those that it is the sum of. */
const MAKE_HALF_HOURS = `INSERT INTO core_totals (agent_id, minute, ${SUMS.join(', ')})
  SELECT agent_id, minute / ${HALF_HOUR} * ${HALF_HOUR} AS half_hour, ${SUMS.map(safeSum).join(', ')} ${OF_DAY} GROUP BY half_hour
  ON CONFLICT (agent_id, minute) DO UPDATE SET ${SUMS.map((sum) => `${sum} = excluded.${sum}`).join(', ')}`;

/**
 * Keeps core totals as the facts are kept that they are set against: by the minute while minutes are, by the half hour
 * while half hours are, and no longer. A half hour is the row of its first minute; so a sum over whole half hours is the
 * same before and after, and what is delivered late for an older minute just joins its half hour in the next pass.
 */
export class TotalsRetention {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** One step of a pass over all agents, in one transaction; null when it is done. Repeated, it changes nothing more. */
  step(borders: TotalsBorders, part: TotalsPart | null): TotalsPart | null {
    return inTransaction(this.#db, () => {
      const agent = part?.agent ?? this.#agent(FIRST_AGENT);
      if (agent === undefined) return null;
      if (this.#remove(agent, borders.half_hour) || this.#makeHalfHours(agent, borders.minute))
        return { agent };
      const next = this.#agent(NEXT_AGENT, agent);
      return next === undefined ? null : { agent: next };
    });
  }

  #agent(text: string, ...after: string[]): string | undefined {
    return prepared(this.#db, text)
      .pluck()
      .get(...after) as string | undefined;
  }

  /** Whether there was something to remove. */
  #remove(agent: string, border: number): boolean {
    const last = prepared(this.#db, LAST_REMOVED).pluck().get(agent, border) as number | undefined;
    return prepared(this.#db, `DELETE ${OLD}`).run(agent, last === undefined ? border : last + 1).changes > 0;
  }

  /** Whether there was a day that had minutes. */
  #makeHalfHours(agent: string, border: number): boolean {
    const oldest = prepared(this.#db, OLDEST_MINUTE).pluck().get(agent, border) as number | null;
    if (oldest === null) return false;
    const begin = Math.floor(oldest / DAY) * DAY;
    const day = [agent, begin, Math.min(begin + DAY, border)];
    prepared(this.#db, MAKE_HALF_HOURS).run(...day);
    prepared(this.#db, `DELETE ${OF_DAY} AND minute % ${HALF_HOUR} <> 0`).run(...day);
    return true;
  }
}
