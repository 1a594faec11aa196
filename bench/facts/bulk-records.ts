import Database from 'better-sqlite3';
import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { columnOf, DESCRIPTIVE_FIELDS, isCounted } from '../../src/domain/connection.ts';
import { formatTime } from '../../src/domain/time.ts';
import { RecordWriter } from '../../src/master/layout/record-writer.ts';
import { arrivalOf } from './arrival.ts';
import type { Generated } from './batch.ts';
import { closedAt, fieldsOf, identityOf, soFar } from './fields.ts';
import { DAY, type GeneratedHour, type Recipe } from './generator.ts';
import type { World } from './world.ts';

/** Memory for pages while loading: ids are random, so every row goes to another page of the primary key. */
const CACHE_KIB = 1024 * 1024;

/** What had arrived of a connection when the data ends; null for nothing. */
function atTheEnd(recipe: Recipe, agent: number, connection: Generated) {
  const end = recipe.firstMinute + recipe.days * DAY;
  let minutes = Math.min(connection.minutes, end - connection.firstMinute);
  while (minutes > 0 && arrivalOf(recipe, agent, connection.firstMinute + minutes - 1) >= end) minutes--;
  if (minutes === 0) return null;
  const lastBucket = connection.firstMinute + minutes - 1;
  return {
    lastBucket,
    updatedMs: (lastBucket + 1) * MINUTE_MS - 1,
    arrivedMs: (arrivalOf(recipe, agent, lastBucket) + 1) * MINUTE_MS,
    download: soFar(connection.download, minutes, connection.minutes),
    upload: soFar(connection.upload, minutes, connection.minutes),
    closedMs: minutes === connection.minutes ? closedAt(connection, end) : null,
  };
}

const NONE = { download: 0, upload: 0 };
const ORIGINAL = DESCRIPTIVE_FIELDS.filter(({ name }) => name !== 'provider');
const ORIGINAL_COLUMNS = [
  ...['id', 'agent_id', 'conn_download', 'conn_upload', 'last_updated', 'start'],
  ...ORIGINAL.map(columnOf),
];
const INSERT_ORIGINAL = `INSERT INTO connections (${ORIGINAL_COLUMNS.join(', ')})
  VALUES (${ORIGINAL_COLUMNS.map(() => '?').join(', ')})`;

/** The original writes its times with an offset. */
export function originalTime(ms: number): string {
  return formatTime(ms).replace('Z', '+00:00');
}

function openForLoading(path: string): Database.Database {
  const db = new Database(path);
  // The file is thrown away when the loading does not come to its end.
  db.pragma('synchronous = OFF');
  db.pragma('journal_mode = WAL');
  db.pragma(`cache_size = -${CACHE_KIB}`);
  return db;
}

/**
 * Writes the generated connections as rows of our records and, if wanted, of the original's table: in the order in
 * which they began, with all indexes in place, as rows come in life.
 */
export class BulkRecords {
  readonly #recipe: Recipe;
  readonly #world: World;
  readonly #records: Database.Database;
  readonly #writer: RecordWriter;
  readonly #original: Database.Database | null;

  constructor(recipe: Recipe, world: World, paths: { records: string; original: string | null }) {
    this.#recipe = recipe;
    this.#world = world;
    this.#records = openForLoading(paths.records);
    this.#writer = new RecordWriter(this.#records);
    this.#original = paths.original === null ? null : openForLoading(paths.original);
  }

  add({ begun, firstNumber }: GeneratedHour): void {
    const originals = this.#original?.prepare(INSERT_ORIGINAL);
    this.#records.exec('BEGIN');
    this.#original?.exec('BEGIN');
    for (let i = 0; i < begun.length; i++) {
      const connection = begun.at(i);
      const { agent } = this.#world.devices[connection.device]!;
      const state = atTheEnd(this.#recipe, agent, connection);
      if (state === null) continue;
      const { name } = this.#world.agents[agent]!;
      const number = firstNumber + i;
      const fields = fieldsOf(this.#world, connection, identityOf(this.#recipe, number));
      this.#writer.insert({
        num: number,
        id: fields.id,
        agentId: name,
        startMs: fields.start,
        isStartUnknown: false,
        updatedMs: state.updatedMs,
        closedAt: state.closedMs,
        arrivedAt: state.arrivedMs,
        lastBucket: state.lastBucket,
        counter: { download: state.download, upload: state.upload },
        base: NONE,
        recovered: NONE,
        counted: isCounted(fields),
        isImported: false,
        fields: (field) => fields[field.name],
      });
      originals?.run(
        fields.id,
        name,
        state.download,
        state.upload,
        originalTime(state.updatedMs),
        originalTime(fields.start),
        ...ORIGINAL.map((field) => fields[field.name]),
      );
    }
    this.#records.exec('COMMIT');
    this.#original?.exec('COMMIT');
  }

  /** Writes what is not by connection: agents, the ledger of lots and the cores' totals, so that the books balance. */
  finish(books: Books): void {
    const db = this.#records;
    const { recipe, world } = { recipe: this.#recipe, world: this.#world };
    const end = (recipe.firstMinute + recipe.days * DAY) * MINUTE_MS;
    db.transaction(() => {
      const agent = db.prepare(
        `INSERT INTO agents (agent_id, first_seen, last_contact, protocol, records)
         VALUES (?, ?, ?, 2, (SELECT count(*) FROM records WHERE agent_id = (SELECT id FROM texts WHERE text = ?)))`,
      );
      for (const { name } of world.agents) agent.run(name, recipe.firstMinute * MINUTE_MS, end, name);
      db.prepare("UPDATE meta SET value = ? WHERE key = 'next_num'").run(String(recipe.connections + 1));
      const lot = db.prepare(
        `INSERT INTO lots (lot, token, first_bucket, last_bucket, rows, down, up, sealed_at, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'dropped')`,
      );
      for (const row of books.lots) lot.run(...row);
      const total = db.prepare('INSERT INTO core_totals (agent_id, minute, down, up) VALUES (?, ?, ?, ?)');
      for (const row of books.totals) total.run(...row);
    })();
  }

  close(): void {
    for (const db of [this.#records, this.#original]) {
      db?.pragma('wal_checkpoint(TRUNCATE)');
      db?.close();
    }
  }
}

/** What the facts file knows and the records must know too; rows in the order of the columns above. */
export interface Books {
  lots: (string | number)[][];
  totals: (string | number)[][];
}
