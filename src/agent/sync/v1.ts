import { prepared } from '../../common/sqlite.ts';
import { MINUTE_MS } from '../../domain/bucket.ts';
import { DESCRIPTIVE_FIELDS } from '../../domain/connection.ts';
import { formatTime } from '../../domain/time.ts';
import { V1_SENDER } from '../../protocol/constants.ts';
import type { Journal } from '../journal/journal.ts';
import { type ConnectionRow, fieldsOfRow } from '../journal/rows.ts';
import { FLAG_ADOPTED } from '../journal/schema.ts';

export interface V1Batch {
  which: 'adopted' | 'fallback';
  records: Record<string, unknown>[];
  samples: [minute: number, conn: number, rev: number][];
}

interface Sample {
  minute: number;
  conn: number;
  down: number;
  up: number;
  rev: number;
}

/**
 * What goes by the original's wire: rows taken over from its file (to any master, each under the agent id it was
 * collected with), or everything while the master knows nothing newer. One record a connection, with the highest
 * counters of the chosen samples.
 */
export function nextV1(journal: Journal, which: 'adopted' | 'fallback', limit: number): V1Batch {
  const only = which === 'adopted' ? `AND flags & ${FLAG_ADOPTED}` : '';
  if (which === 'adopted' && journal.adopted === false) return { which, records: [], samples: [] };
  const samples = prepared(
    journal.db,
    `SELECT minute, conn, down, up, rev FROM samples INDEXED BY samples_dirty WHERE dirty = 1 ${only}
       ORDER BY minute, conn LIMIT ?`,
  ).all(limit) as Sample[];
  // Nearly always the newest sample; but where the clock was set back in between, later minutes have lower counters.
  const highest = new Map<number, Sample>();
  for (const sample of samples) {
    const before = highest.get(sample.conn) ?? sample;
    const [down, up] = [Math.max(sample.down, before.down), Math.max(sample.up, before.up)];
    highest.set(sample.conn, { ...sample, down, up });
  }
  const select = prepared(journal.db, 'SELECT * FROM connections WHERE key = ?');
  const records = [...highest.values()].map((sample) =>
    recordOf(select.get(sample.conn) as ConnectionRow, sample),
  );
  return { which, records, samples: samples.map((s) => [s.minute, s.conn, s.rev]) };
}

function recordOf(row: ConnectionRow, sample: Sample): Record<string, unknown> {
  const fields = fieldsOfRow(row);
  const adoptedAt = row.last_updated;
  const record: Record<string, unknown> = {
    id: fields.id,
    agent_id: row.agent_id,
    download: sample.down,
    upload: sample.up,
    last_updated:
      Math.floor(Date.parse(String(adoptedAt)) / MINUTE_MS) === sample.minute
        ? adoptedAt
        : formatTime((sample.minute + 1) * MINUTE_MS - 1),
    start: row.start ?? '',
  };
  for (const field of DESCRIPTIVE_FIELDS) record[field.name] = fields[field.name];
  return record;
}

export function encodeV1(agentId: string, records: Record<string, unknown>[], at: number): string {
  return JSON.stringify({
    agent_id: agentId,
    connections: records,
    timestamp: formatTime(at),
    sender: V1_SENDER,
  });
}
