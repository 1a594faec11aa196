import type { Sqlite } from '../../common/sqlite.ts';
import { columnOf, DESCRIPTIVE_FIELDS, type DescriptiveName } from '../../domain/connection.ts';
import { decoded, formOf, idText } from '../layout/columns.ts';
import { allShown, hasEarlierRows } from '../layout/earlier-rows.ts';
import { type Clause, marks } from './clause.ts';
import type { ConnectionSortKey } from './query.ts';

/** How records are read. */
export interface Columns {
  /** SQL of what rows `c` come from. */
  readonly from: string;
  /** Times are numbers with an index. */
  readonly indexed: boolean;
  /** SQL of what a record is known by, for good. */
  readonly number: string;
  readonly start: string;
  readonly updated: string;
  /** SQL of its id, and of its agent's, as text; NULL where a row of the original's has none. */
  readonly id: string;
  readonly agent: string;
  /** SQL of the times as they are stored, where they are no numbers; NULL elsewhere. */
  readonly timeTexts: { readonly start: string; readonly updated: string };
  /** SQL of a descriptive field, NULL where a row of the original's has it. */
  field(name: DescriptiveName): string;
  /** What `test` says of a field's text, '' for NULL. */
  where(name: DescriptiveName, test: (text: string) => Clause): Clause;
  /** SQL of `RULE (payload)`, or `RULE` where there is no payload. */
  readonly ruleText: string;
  /** The records of some agents, by their index. */
  ofAgents(agents: readonly string[]): Clause;
}

const FIELDS = new Map(DESCRIPTIVE_FIELDS.map((field) => [field.name, field]));

function fieldOf(name: DescriptiveName): (typeof DESCRIPTIVE_FIELDS)[number] {
  const field = FIELDS.get(name);
  if (field === undefined) throw new Error(`records have no ${name}`);
  return field;
}

const isText = (name: DescriptiveName): boolean => formOf(fieldOf(name)) === 'text';

function ruleText(rule: string, payload: string): string {
  return `iif(${payload} <> '', ${rule} || ' (' || ${payload} || ')', ${rule})`;
}

/** All are in `records`: times are numbers, which are indexed, and what a text is asked is asked of each text once. */
export const SETTLED: Columns = {
  from: 'records c',
  indexed: true,
  number: 'c.num',
  start: 'c.start_ms',
  updated: 'c.updated_ms',
  id: idText('c'),
  agent: decoded('agent_id', 'c'),
  timeTexts: { start: 'NULL', updated: 'NULL' },
  field: (name) => decoded(columnOf(fieldOf(name)), 'c'),
  where(name, test) {
    if (!isText(name)) return test(`ifnull(${this.field(name)}, '')`);
    const { sql, values } = test('text');
    return { sql: `ifnull(c.${columnOf(fieldOf(name))}, 0) IN (SELECT id FROM texts WHERE ${sql})`, values };
  },
  ruleText: `(SELECT ${ruleText('r.text', 'p.text')} FROM texts r, texts p
    WHERE r.id = ifnull(c.rule, 0) AND p.id = ifnull(c.rule_payload, 0))`,
  ofAgents(agents) {
    // Of one agent, rows are in the order of the index.
    const ids = `(SELECT id FROM texts WHERE text ${agents.length === 1 ? '= ?' : `IN (${marks(agents)})`})`;
    return { sql: `c.agent_id ${agents.length === 1 ? '=' : 'IN'} ${ids}`, values: agents };
  },
};

const fromText = (column: string): string => `CAST(unixepoch(${column}, 'subsec') * 1000 AS INTEGER)`;

/** Some are not in `records` yet; those of the original's have their times as text until they are. */
function importing(db: Sqlite): Columns {
  return {
    from: `${allShown(db)} c`,
    indexed: false,
    number: 'c.row_number',
    start: `coalesce(c.start_ms, ${fromText('c.start')}, ${fromText('c.last_updated')}, 0)`,
    updated: `coalesce(c.updated_ms, ${fromText('c.last_updated')}, ${fromText('c.start')}, 0)`,
    id: 'c.id',
    agent: 'c.agent_id',
    timeTexts: { start: 'c.start', updated: 'c.last_updated' },
    field: (name) => `c.${columnOf(fieldOf(name))}`,
    where(name, test) {
      return test(`ifnull(${this.field(name)}, '')`);
    },
    ruleText: ruleText("ifnull(c.rule, '')", "ifnull(c.rule_payload, '')"),
    ofAgents: (agents) => ({ sql: `c.agent_id IN (${marks(agents)})`, values: agents }),
  };
}

/** Which of the two holds now. */
export function currentColumns(db: Sqlite): Columns {
  return hasEarlierRows(db) ? importing(db) : SETTLED;
}

/** The expression to sort by. Times have an index once all rows are records; sums of bytes have none. */
export function sortExpression(sortBy: ConnectionSortKey, columns: Columns): string {
  switch (sortBy) {
    case 'start':
      return columns.start;
    case 'last_updated':
      return columns.updated;
    case 'download':
      return 'ifnull(c.conn_download, 0)';
    case 'upload':
      return 'ifnull(c.conn_upload, 0)';
    case 'total':
      return '(ifnull(c.conn_download, 0) + ifnull(c.conn_upload, 0))';
  }
}
