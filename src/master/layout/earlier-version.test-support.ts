import type { Sqlite } from '../../common/sqlite.ts';
import { ORIGINAL_COLUMNS } from '../../domain/connection.ts';
import { EARLIER_COLUMNS } from '../ingest/schema.ts';
import { SHOWN_COLUMNS } from './columns.ts';
import { EARLIER } from './earlier-rows.ts';

/** As version 6 had them. */
const INDEXES = `
CREATE UNIQUE INDEX connections_num ON connections (num);
CREATE INDEX connections_updated ON connections (updated_ms);
CREATE INDEX connections_start ON connections (start_ms);
CREATE INDEX connections_agent ON connections (agent_id, updated_ms);
CREATE INDEX connections_closed ON connections (closed_at);
CREATE INDEX connections_import ON connections (imported) WHERE imported = 0;
`;

/** Makes of a records database what version 6 would have made of the same deliveries: one wide table, texts in its rows. */
export function makeVersion6(db: Sqlite): void {
  db.transaction(() => {
    db.exec(`CREATE TABLE wide (${ORIGINAL_COLUMNS.join(', ')}, PRIMARY KEY (id, agent_id))`);
    for (const column of EARLIER_COLUMNS) db.exec(`ALTER TABLE wide ADD COLUMN ${column}`);
    db.exec(`INSERT INTO wide (${SHOWN_COLUMNS.join(', ')}) SELECT * FROM connections ORDER BY num;
      DROP VIEW connections; DROP TABLE records; DROP TABLE texts; DROP TABLE IF EXISTS ${EARLIER}`);
    db.pragma('legacy_alter_table = ON');
    db.exec(`ALTER TABLE wide RENAME TO connections; ${INDEXES}`);
    db.pragma('legacy_alter_table = OFF');
    db.pragma('user_version = 6');
  })();
}
