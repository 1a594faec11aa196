import { parseAskedTime } from '../../domain/asked-time.ts';
import type { DescriptiveName } from '../../domain/connection.ts';
import { FILTER_FIELDS, type FilterField, filterField, RECORD_ONLY } from '../../domain/filter/fields.ts';
import { lowered } from '../../domain/filter/lowered.ts';
import type { Filter, Operator, Test } from '../../domain/filter/tree.ts';
import {
  type AddressRange,
  addressRange,
  bareHost,
  cidrRange,
  numberRange,
  quantity,
} from '../../domain/filter/values.ts';
import { instantOfLocal } from '../query/local-time.ts';
import { type Clause, joined, marks } from './clause.ts';
import type { Columns } from './columns.ts';
import {
  computed,
  DIMENSION_VALUES,
  NO_AGENT,
  plain,
  type RecordValue,
  valueIn,
  whereValue,
} from './dimension-values.ts';
import { addressKey } from './sql-functions.ts';

/** What the meaning of a filter depends on beside its text. */
export interface Reading {
  readonly columns: Columns;
  /** Epoch ms; open connections are that old. */
  readonly now: number;
  /** In which local times are read. */
  readonly zone: string;
}

/**
 * The condition that a parsed filter (scope `connections`) puts on a record, with the meaning that
 * `query/expression.ts` gives it on facts. Every value is a parameter.
 */
export function recordExpression(filter: Filter, reading: Reading): Clause {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const parts = filter.parts.map((part) => recordExpression(part, reading));
      return joined(parts, filter.kind === 'and' ? ' AND ' : ' OR ');
    }
    case 'not':
      return not(recordExpression(filter.of, reading));
    case 'word':
      return word(filter.text, reading.columns);
    case 'test':
      return test(filter, reading);
  }
}

/** What is not known (NULL) does not match, so its opposite does. */
function not({ sql, values }: Clause): Clause {
  return { sql: `NOT ifnull(${sql}, 0)`, values };
}

/** Host, process, device, node or rule contains it, ignoring case. */
function word(text: string, columns: Columns): Clause {
  const { host, process, device, node, rule, payload } = DIMENSION_VALUES;
  const has = (value: RecordValue) => whereValue(columns, value, (sql) => hasPart(sql, value, text));
  // What cannot reach over the border between both is cheaper to look for in each.
  const rules = /[ ()]/.test(text)
    ? [{ sql: `has_part(${columns.ruleText}, ?)`, values: [lowered(text)] }]
    : [has(rule), has(payload)];
  return joined([has(host), has(process), has(device), ...rules, has(node)], ' OR ');
}

/**
 * SQLite's own functions know ASCII alone, and take a third of the time: they are asked where a text has nothing else
 * (its characters are as many as its bytes). Not of a computed value, which would be computed for each of them.
 */
function inAscii(sql: string, value: RecordValue, native: Clause, otherwise: Clause): Clause {
  if (value.isComputed) return otherwise;
  return {
    sql: `iif(length(${sql}) = octet_length(${sql}), ${native.sql}, ${otherwise.sql})`,
    values: [...native.values, ...otherwise.values],
  };
}

function hasPart(sql: string, value: RecordValue, text: string): Clause {
  const part = lowered(text);
  return inAscii(
    sql,
    value,
    { sql: `instr(lower(${sql}), ?) > 0`, values: [part] },
    { sql: `has_part(${sql}, ?)`, values: [part] },
  );
}

function isUnder(sql: string, value: RecordValue, text: string): Clause {
  const domain = bareHost(text);
  return inAscii(
    sql,
    value,
    {
      sql: `(lower(${sql}) = ? OR substr(lower(${sql}), ?) = ?)`,
      values: [domain, -(domain.length + 1), `.${domain}`],
    },
    { sql: `is_under(${sql}, ?)`, values: [domain] },
  );
}

/** Operators that say the opposite of another one. */
const OPPOSITE: Readonly<Partial<Record<Operator, Operator>>> = {
  '!=': '=',
  '!~': '~',
  'not in': 'in',
  'not empty': 'empty',
};

function test(given: Test, reading: Reading): Clause {
  const opposite = OPPOSITE[given.op];
  if (opposite !== undefined) return not(test({ ...given, op: opposite }, reading));
  const field = filterField(given.field);
  if (field === undefined) throw new Error(`there is no field ${given.field}`);
  switch (field.name) {
    case 'agent':
      return agentIn(given.values, reading.columns);
    case 'state':
      return either(OPEN, given.values, ['open', 'closed']);
    case 'recovered':
      return either('c.recovered_down + c.recovered_up > 0', given.values, ['true', 'false']);
    default:
      return onField(field, given, reading);
  }
}

/** By its index, so rows without an agent stand apart. */
function agentIn(values: readonly string[], columns: Columns): Clause {
  const named = columns.ofAgents(values);
  return values.includes(NO_AGENT)
    ? joined([named, { sql: 'c.agent_id IS NULL', values: [] }], ' OR ')
    : named;
}

/** Listed by its core when it was last heard of. Rows of the original's that wait for their import are over. */
export const OPEN = '(c.closed_at IS NULL AND c.imported IS NOT 0)';

/** A condition that is true for the first of two words and false for the second. */
function either(sql: string, values: readonly string[], [yes, no]: readonly [string, string]): Clause {
  if (values.includes(yes) && values.includes(no)) return { sql: 'true', values: [] };
  return { sql: values.includes(yes) ? `(${sql})` : `NOT (${sql})`, values: [] };
}

function onField(field: FilterField, given: Test, reading: Reading): Clause {
  const { columns } = reading;
  const value = TEXTS[field.name];
  if (value === undefined) return onNumbers(field, numberOf(field, reading), given, reading);
  if (field.type === 'number') return onNumbers(field, valueIn(columns, value), given, reading);
  return whereValue(columns, value, (sql) =>
    field.type === 'address' ? onAddress(sql, given) : onText(sql, value, given),
  );
}

/** Texts of connections that are no dimension. */
const PLAIN_TEXTS = FILTER_FIELDS.filter(({ name, type }) => RECORD_ONLY.includes(name) && type !== 'number');

/** What filters know that is a text of a record, or follows from one. */
const TEXTS: Readonly<Record<string, RecordValue>> = {
  ...DIMENSION_VALUES,
  source_port: computed('port_of', 'source_port'),
  ...Object.fromEntries(PLAIN_TEXTS.map(({ name }) => [name, plain(name as DescriptiveName)])),
};

function numberOf(field: FilterField, { columns, now }: Reading): string {
  switch (field.name) {
    case 'download':
      return 'max(ifnull(c.conn_download, 0), 0)';
    case 'upload':
      return 'max(ifnull(c.conn_upload, 0), 0)';
    case 'start':
      return startOf(columns);
    case 'age':
      return `(iif(${OPEN}, ${whole(now)}, ifnull(c.closed_at, ${columns.updated})) - ${startOf(columns)})`;
    case 'uid':
      return 'ifnull(c.uid, 0)';
    case 'dscp':
      return 'ifnull(c.dscp, 0)';
    default:
      throw new Error(`records have no ${field.name}`);
  }
}

/** NULL where the core did not say. */
function startOf(columns: Columns): string {
  return `nullif(${columns.start}, 0)`;
}

/** A number of this program's as SQL. */
function whole(number: number): string {
  if (!Number.isSafeInteger(number)) throw new Error(`${number} is no whole number`);
  return String(number);
}

function onNumbers(field: FilterField, value: string, given: Test, { zone }: Reading): Clause {
  const [first = ''] = given.values;
  switch (field.type) {
    case 'number':
      return onNumber(value, given);
    case 'bytes':
      return ordered(value, given.op, quantity('bytes', first));
    case 'duration': {
      const seconds = quantity('duration', first);
      return ordered(value, given.op, seconds === null ? null : seconds * 1000);
    }
    case 'time':
      return ordered(value, given.op, instantOf(first, zone));
    default:
      throw new Error(`${field.name} is no number`);
  }
}

function instantOf(text: string, zone: string): number | null {
  const time = parseAskedTime(text);
  if ('local' in time) return instantOfLocal(zone, time.local);
  return 'at' in time ? time.at : null;
}

function onText(sql: string, value: RecordValue, { op, values }: Test): Clause {
  const [first = ''] = values;
  switch (op) {
    case '=':
    case 'in':
      return { sql: `${sql} IN (${marks(values)})`, values };
    case '~':
      return hasPart(sql, value, first);
    case '=~':
      return { sql: `matches(${sql}, ?)`, values: [first] };
    case 'under':
      return isUnder(sql, value, first);
    case 'empty':
      return { sql: `${sql} = ''`, values: [] };
    default:
      throw new Error(`text has no operator ${op}`);
  }
}

function onAddress(value: string, { op, values }: Test): Clause {
  if (op === 'empty') return { sql: `${value} = ''`, values: [] };
  const ranges = values
    .map((text) => (op === 'under' ? cidrRange(text) : addressRange(text)))
    .filter((range): range is AddressRange => range !== null);
  const within = ranges.map(({ low, high }) => ({
    sql: `address_key(${value}) BETWEEN ? AND ?`,
    values: [addressKey(low), addressKey(high)],
  }));
  return joined(within, ' OR ');
}

function onNumber(value: string, { op, values }: Test): Clause {
  const ranges = values.map(numberRange).filter((range) => range !== null);
  if (op !== '=' && op !== 'in') return ordered(value, op, ranges[0]?.low ?? null);
  const within = ranges.map(({ low, high }) => ({ sql: `${value} BETWEEN ? AND ?`, values: [low, high] }));
  return joined(within, ' OR ');
}

const ORDERS: readonly Operator[] = ['=', '<', '<=', '>', '>='];

function ordered(value: string, op: Operator, than: number | null): Clause {
  if (!ORDERS.includes(op) || than === null) throw new Error(`nothing can be compared by ${op}`);
  return { sql: `${value} ${op} ?`, values: [than] };
}
