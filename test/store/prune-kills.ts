import { join } from 'node:path';
import { openReader } from '../../src/common/sqlite.ts';
import { hold } from '../support/hold.ts';
import { killWhen } from './kill-when.ts';

const PROGRAM = join(import.meta.dirname, 'prune-forever.ts');
/** A round of either takes some tens of ms. */
const LONGEST_MS = { prune: 60, 'keep totals': 40 } as const;

export type Pruning = keyof typeof LONGEST_MS;
export const PRUNINGS = Object.keys(LONGEST_MS) as Pruning[];

/** Runs until it begins such a round for some time, and a random moment longer. */
export async function killPruning(what: Pruning, database: string): Promise<void> {
  // The first days have nothing that is old enough.
  const times = 9 + Math.floor(Math.random() * 3);
  await killWhen({ args: [PROGRAM, database], line: what, times, longestMs: LONGEST_MS[what] });
}

/**
 * What went is counted, and took along all that belongs to it and nothing else, whenever it was killed: every number that
 * was ever given is a record or was removed, and the books have every byte of every lot. Returns how many went.
 */
export function checkPruned(database: string): number {
  const db = openReader(database);
  try {
    return db.transaction(() => {
      const number = (sql: string) => db.prepare(sql).pluck().get() as number;
      const equal = (what: string, left: string, right: string) =>
        hold(number(left) === number(right), () => `${what}: ${number(left)}, not ${number(right)}`);
      hold(db.pragma('integrity_check', { simple: true }) === 'ok', () => 'the file is damaged');
      equal(
        'records',
        'SELECT (SELECT count(*) FROM connections) + (SELECT records FROM pruned)',
        "SELECT CAST(value AS INTEGER) - 1 FROM meta WHERE key = 'next_num'",
      );
      equal('records of agents', 'SELECT total(records) FROM agents', 'SELECT count(*) FROM connections');
      equal(
        'bases',
        'SELECT count(*) FROM bases',
        'SELECT count(*) FROM bases JOIN connections c ON c.num = bases.conn',
      );
      equal('bases of records', 'SELECT count(*) FROM bases', 'SELECT count(*) FROM connections');
      for (const way of ['down', 'up']) {
        equal(
          `bytes ${way}`,
          `SELECT total(${way}) + total(unmeasured_${way}) FROM core_totals`,
          `SELECT (SELECT total(${way}) FROM lots) + (SELECT total(${way}) FROM pending_facts WHERE lot IS NULL)`,
        );
        equal(
          `attributed ${way}`,
          `SELECT (SELECT ${way} FROM pruned) + (SELECT total(conn_${way === 'down' ? 'download' : 'upload'}) FROM connections)`,
          `SELECT count(*) * (1500 * ${way === 'down' ? 1000 : 0} + 1500 * 1499 / 2) FROM streams`,
        );
      }
      // Sent again, whatever went would be refused: all of it lies before the horizon.
      const gone = number('SELECT records FROM pruned');
      const horizon = number("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'horizon'");
      const oldest = number('SELECT min(last_bucket) FROM connections WHERE closed_at IS NOT NULL');
      hold(horizon > 0 === gone > 0, () => `horizon ${horizon}, removed ${gone}`);
      hold(gone === 0 || horizon / 60_000 <= oldest + 1440 * 2, () => `horizon ${horizon}, oldest ${oldest}`);
      return gone;
    })();
  } finally {
    db.close();
  }
}
