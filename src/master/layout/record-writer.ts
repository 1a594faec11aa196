import type { Statement } from 'better-sqlite3';
import type { Sqlite } from '../../common/sqlite.ts';
import { type Bytes, DESCRIPTIVE_FIELDS } from '../../domain/connection.ts';
import { formOf, RECORD_COLUMNS } from './columns.ts';
import { Texts } from './texts.ts';

/** What is given to SQLite. */
export type Stored = number | bigint | string | Buffer | null;

/** What a source says of one descriptive field; a row of the original's may hold anything. */
export type FieldReader<T = unknown> = (field: (typeof DESCRIPTIVE_FIELDS)[number]) => T;

/** A record that enters the file. Times: epoch ms. */
export interface NewRecord {
  readonly num: number;
  readonly id: string | null;
  readonly agentId: string | null;
  readonly startMs: number | null;
  /** The core did not say when it began. */
  readonly isStartUnknown: boolean;
  readonly updatedMs: number | null;
  readonly closedAt: number | null;
  readonly arrivedAt: number | null;
  /** Minutes since the epoch; 0 for none. */
  readonly lastBucket: number;
  readonly counter: Bytes;
  readonly base: Bytes;
  readonly recovered: Bytes;
  readonly counted: boolean;
  readonly isImported: boolean;
  readonly fields: FieldReader;
}

const FORMS = DESCRIPTIVE_FIELDS.map(formOf);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** A port that reads the same as a number and as that number's text. */
const PORT = /^(?:0|[1-9]\d{0,7})$/;

/** An id as `records` has it: 16 bytes for a UUID in lower case, the text itself for any other. */
export function storedId(id: string): string | Buffer {
  return UUID.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : id;
}

function storedPort(value: unknown): number | Buffer {
  const text = String(value);
  return PORT.test(text) ? Number(text) : Buffer.from(text);
}

/** Says how values lie in `records`, and writes rows there. The one place where a record is made. */
export class RecordWriter {
  readonly texts: Texts;
  readonly #insert: Statement;

  constructor(db: Sqlite) {
    this.texts = new Texts(db);
    this.#insert = db.prepare(
      `INSERT INTO records (${RECORD_COLUMNS.join(', ')}) VALUES (${RECORD_COLUMNS.map(() => '?').join(', ')})`,
    );
  }

  /** In the order of `RECORD_COLUMNS`. */
  insert(record: NewRecord): void {
    const { id, agentId, counter, base, recovered } = record;
    this.#insert.run(
      record.num,
      id === null ? null : storedId(id),
      agentId === null ? null : this.texts.idOf(agentId),
      record.startMs,
      record.updatedMs,
      record.closedAt,
      record.arrivedAt,
      record.lastBucket,
      counter.download,
      counter.upload,
      base.download,
      base.upload,
      recovered.download,
      recovered.upload,
      record.counted ? 1 : 0,
      record.isImported ? 1 : null,
      record.isStartUnknown ? 1 : null,
      ...this.fields(record.fields),
    );
  }

  /** The descriptive fields as `records` has them, in their order. */
  fields(read: FieldReader): Stored[] {
    return DESCRIPTIVE_FIELDS.map((field, i) => this.#stored(FORMS[i], read(field)));
  }

  #stored(form: (typeof FORMS)[number] | undefined, value: unknown): Stored {
    if (value === null || value === undefined) return null;
    if (form === 'text') return this.texts.idOf(Buffer.isBuffer(value) ? value : String(value));
    if (form === 'port') return storedPort(value);
    return value as Stored;
  }
}
