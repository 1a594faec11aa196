import { columnOf, DESCRIPTIVE_FIELDS, ORIGINAL_COLUMNS } from '../../domain/connection.ts';

type DescriptiveField = (typeof DESCRIPTIVE_FIELDS)[number];

/**
 * In what form a field lies in `records`: the id of its text, a whole number, or a port: a number where its text is one
 * written the usual way, else the bytes of that text, of which SQLite makes no number.
 */
export type Form = 'text' | 'port' | 'integer';

export function formOf(field: Pick<DescriptiveField, 'name' | 'type'>): Form {
  if (field.type === 'integer') return 'integer';
  return field.name.endsWith('_port') ? 'port' : 'text';
}

const FORMS: ReadonlyMap<string, Form> = new Map([
  ...DESCRIPTIVE_FIELDS.map((field): [string, Form] => [columnOf(field), formOf(field)]),
  ['agent_id', 'text'],
]);

/** Columns of `records` whose values are ids of texts. */
export const TEXT_COLUMNS: readonly string[] = [...FORMS].flatMap(([column, form]) =>
  form === 'text' ? [column] : [],
);

/** What the fields of a connection say nothing by, at the ids that they have in every file. */
export const EMPTY_TEXTS = ['', 'null', '[]'] as const;

/**
 * Columns of `records` beside the descriptive ones. Times: epoch ms.
 *
 * - `num`: number of the record, never reused, by which facts refer to it.
 * - `id`: the 16 bytes of a UUID, or the text of an id that is none.
 * - `base_*`: counters that count as history from before the tracker (A4); booked = counter − base.
 * - `last_bucket`: the minute of its newest fact; facts of a connection are booked in order.
 * - `recovered_*`: how much of the counters is recovered, a running maximum too.
 * - `arrived_at`: when something last arrived for it (master's clock), which retention goes by.
 * - `imported`: NULL for records of this program, 1 for rows of the original's.
 * - `start_unknown`: 1 where the core did not say when it began: `start_ms` is when it was first heard of.
 */
const OWN_COLUMNS = [
  'num INTEGER PRIMARY KEY',
  'id',
  'agent_id INTEGER',
  'start_ms INTEGER',
  'updated_ms INTEGER',
  'closed_at INTEGER',
  'arrived_at INTEGER',
  'last_bucket INTEGER NOT NULL DEFAULT 0',
  'conn_download INTEGER',
  'conn_upload INTEGER',
  'base_down INTEGER NOT NULL DEFAULT 0',
  'base_up INTEGER NOT NULL DEFAULT 0',
  'recovered_down INTEGER NOT NULL DEFAULT 0',
  'recovered_up INTEGER NOT NULL DEFAULT 0',
  'counted INTEGER NOT NULL DEFAULT 1',
  'imported INTEGER',
  'start_unknown INTEGER',
];

const DESCRIPTIVE_COLUMNS = DESCRIPTIVE_FIELDS.map((field) => `${columnOf(field)} INTEGER`);

/** Every column of `records`, in its order. */
export const RECORD_COLUMNS: readonly string[] = [...OWN_COLUMNS, ...DESCRIPTIVE_COLUMNS].map(nameOf);

/**
 * The table of records, and the dictionary of its texts. An index is written anew whenever one of its columns changes,
 * which `updated_ms` does with every sample; the others are written once or twice a connection.
 */
export const RECORDS_DDL = `
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
INSERT INTO texts (id, text) VALUES ${EMPTY_TEXTS.map((text, id) => `(${id}, '${text}')`).join(', ')};
CREATE TABLE records (${[...OWN_COLUMNS, ...DESCRIPTIVE_COLUMNS].join(', ')});
CREATE UNIQUE INDEX records_id ON records (id, agent_id);
CREATE INDEX records_updated ON records (updated_ms);
CREATE INDEX records_start ON records (start_ms);
CREATE INDEX records_agent ON records (agent_id, updated_ms);
-- What is open, and what closed after an instant, without reading the rest.
CREATE INDEX records_closed ON records (closed_at);
`;

/** Columns of the view `connections`: the original's, then ours. */
export const SHOWN_COLUMNS: readonly string[] = [
  ...ORIGINAL_COLUMNS.map(nameOf),
  ...['num', 'provider', 'counted', 'closed_at', 'start_ms', 'updated_ms', 'base_down', 'base_up'],
  ...['recovered_down', 'recovered_up', 'last_bucket', 'arrived_at', 'imported'],
];

function nameOf(declared: string): string {
  return declared.split(' ')[0] ?? declared;
}

/** SQL of what a column of `connections` shows of a row `r` of `records`. */
export function shownOf(column: string): string {
  switch (column) {
    case 'id':
      return idText('r');
    case 'last_updated':
      return timeText('r.updated_ms');
    case 'start':
      return `iif(r.start_unknown, '', ${timeText('r.start_ms')})`;
    default:
      return decoded(column, 'r');
  }
}

/** SQL of the value of a column of `records`, text as text; NULL where the row has NULL. */
export function decoded(column: string, alias: string): string {
  const stored = `${alias}.${column}`;
  switch (FORMS.get(column)) {
    case 'text':
      return `(SELECT text FROM texts WHERE id = ${stored})`;
    case 'port':
      return `CAST(${stored} AS TEXT)`;
    default:
      return stored;
  }
}

const UUID_PARTS = [
  [1, 8],
  [9, 4],
  [13, 4],
  [17, 4],
  [21, 12],
] as const;

/** SQL of the id of a record as text. */
export function idText(alias: string): string {
  const id = `${alias}.id`;
  const parts = UUID_PARTS.map(([from, length]) => `substr(hex(${id}), ${from}, ${length})`);
  return `iif(typeof(${id}) = 'blob', lower(${parts.join(" || '-' || ")}), ${id})`;
}

/** As `formatTime` writes it. */
function timeText(column: string): string {
  return `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;
}
