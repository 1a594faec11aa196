import { inTransaction, type Sqlite } from '../../common/sqlite.ts';
import { EMPTY_TEXTS, TEXT_COLUMNS } from './columns.ts';

/**
 * Drops texts that no record has any more, of a file that nobody else has open; returns how many there were. Every record
 * is read once, and memory holds one byte for each text.
 */
export function dropUnusedTexts(db: Sqlite): number {
  const last = db.prepare('SELECT max(id) FROM texts').pluck().get() as number;
  const used = new Uint8Array(last + 1).fill(1, 0, EMPTY_TEXTS.length);
  const records = db
    .prepare(`SELECT ${TEXT_COLUMNS.join(', ')} FROM records`)
    .raw()
    .iterate();
  for (const ids of records as Iterable<(number | null)[]>) {
    for (const id of ids) if (id !== null) used[id] = 1;
  }
  const drop = db.prepare('DELETE FROM texts WHERE id = ?');
  return inTransaction(db, () => {
    let dropped = 0;
    for (let id = 0; id <= last; id++) if (used[id] === 0) dropped += drop.run(id).changes;
    return dropped;
  });
}
