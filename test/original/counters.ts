import Database from 'better-sqlite3';
import type { SimulatedCore } from '../../src/simulator/core.ts';
import { hold } from '../support/hold.ts';

/** `down/up` of each connection, by id. */
export type Counters = ReadonlyMap<string, string>;

/** What a file of the original holds, read as another program would. */
export function rowsOf(path: string, agentId: string): Counters {
  const db = new Database(path, { readonly: true, timeout: 5000 });
  try {
    const rows = db
      .prepare('SELECT id, conn_download AS down, conn_upload AS up FROM connections WHERE agent_id = ?')
      .all(agentId) as { id: string; down: number; up: number }[];
    return new Map(rows.map(({ id, down, up }) => [id, `${down}/${up}`]));
  } finally {
    db.close();
  }
}

/** What the core showed of every connection it ever listed, in the last message that did. */
export function shownBy(core: SimulatedCore): Counters {
  const shown = [...core.truth.connections.values()].filter(({ listedAt }) => listedAt !== null);
  return new Map(
    shown.map(({ id, listedDownload, listedUpload }) => [id, `${listedDownload}/${listedUpload}`]),
  );
}

/** Bytes of those among them that are in the core's totals. */
export function sumOf(core: SimulatedCore, counters: Counters): { download: number; upload: number } {
  const sum = { download: 0, upload: 0 };
  for (const [id, text] of counters) {
    if (core.truth.connections.get(id)?.counted !== true) continue;
    const [down, up] = text.split('/').map(Number);
    sum.download += down!;
    sum.upload += up!;
  }
  return sum;
}

/** The first differences, or null. */
export function difference(found: Counters, expected: Counters): string | null {
  const wrong: string[] = [];
  for (const id of new Set([...found.keys(), ...expected.keys()]))
    if (found.get(id) !== expected.get(id))
      wrong.push(`${id} ${found.get(id) ?? 'missing'}, expected ${expected.get(id) ?? 'none'}`);
  return wrong.length === 0
    ? null
    : `${wrong.length} of ${expected.size} differ: ${wrong.slice(0, 3).join('; ')}`;
}

/** None is missing, and none is above what the core showed. */
export function holdNotAbove(found: Counters, shown: Counters): void {
  hold(found.size === shown.size, () => `${found.size} connections, the core showed ${shown.size}`);
  for (const [id, text] of found) {
    const [down, up] = text.split('/').map(Number);
    const [mostDown, mostUp] = (shown.get(id) ?? '0/0').split('/').map(Number);
    hold(down! <= mostDown! && up! <= mostUp!, () => `${id} has ${text}, the core showed ${shown.get(id)}`);
  }
}
