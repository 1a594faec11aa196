import { prepared, type Sqlite } from '../../common/sqlite.ts';

/** Newest rows that are kept. */
const QUARANTINE_ROWS = 10_000;
/** Characters of a row's JSON text that are kept. */
const ROW_TEXT = 4000;

/** Keeps what could not be taken, inside the caller's transaction. */
export function quarantine(
  db: Sqlite,
  row: { at: number; agentId: string; what: string; code: string; value: unknown },
): void {
  prepared(db, 'INSERT INTO quarantine (at, agent_id, what, code, row) VALUES (?, ?, ?, ?, ?)').run(
    row.at,
    row.agentId,
    row.what,
    row.code,
    (JSON.stringify(row.value) ?? '').slice(0, ROW_TEXT),
  );
  prepared(
    db,
    `DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ${QUARANTINE_ROWS}`,
  ).run();
}
