import type { Dimension } from '../../domain/dimensions.ts';
import type { Filter, Operator, Test } from '../../domain/filter/tree.ts';
import {
  type AddressRange,
  addressRange,
  bareHost,
  cidrRange,
  numberRange,
} from '../../domain/filter/values.ts';
import { dimensionOf, RULE_TEXT } from './group-keys.ts';
import { listed, named, type Sql, sql } from './sql.ts';

/**
 * The condition that a parsed filter (scope `facts`) puts on a fact. Every value is a parameter. `hourOfWeek` is that of
 * the fact, in the zone of the question.
 */
export function expression(filter: Filter, hourOfWeek: Sql): Sql {
  const of = (part: Filter) => expression(part, hourOfWeek);
  switch (filter.kind) {
    case 'and':
      return sql`(${listed(filter.parts.map(of), ' AND ')})`;
    case 'or':
      return sql`(${listed(filter.parts.map(of), ' OR ')})`;
    case 'not':
      return sql`NOT ${of(filter.of)}`;
    case 'word':
      return word(filter.text);
    case 'test':
      return test(filter, hourOfWeek);
  }
}

/** Host, process, device, node or rule contains it, ignoring case. */
function word(text: string): Sql {
  const part = contains(text);
  return sql`(host IN (SELECT id FROM host WHERE ${part(named('host'))}) OR ${part(named('process'))}
    OR device IN (SELECT id FROM ip WHERE ${part(named('ip'))})
    OR chain IN (SELECT id FROM chain WHERE ${part(named('node'))})
    OR rule IN (SELECT id FROM rule WHERE ${part(RULE_TEXT)}))`;
}

/** Operators that say the opposite of another one. */
const OPPOSITE: Readonly<Partial<Record<Operator, Operator>>> = {
  '!=': '=',
  '!~': '~',
  'not in': 'in',
  'not empty': 'empty',
};

function test(given: Test, hourOfWeek: Sql): Sql {
  const opposite = OPPOSITE[given.op];
  if (opposite !== undefined) return sql`NOT ${test({ ...given, op: opposite }, hourOfWeek)}`;
  if (given.field === 'recovered') return recovered(given);
  if (given.field === 'hour_of_week') return sql`(${onNumber(hourOfWeek, given)})`;
  const dimension = dimensionOf(given.field);
  const column = named(dimension.column);
  const { dictionary } = dimension;
  if (dictionary === undefined || dimension.entry === undefined)
    return sql`(${onValue(dimension, column, given)})`;
  const entry = dimension.type === 'address' ? sql`num` : named(dimension.entry);
  return sql`${column} IN (SELECT id FROM ${named(dictionary)} WHERE ${onValue(dimension, entry, given)})`;
}

function recovered({ values }: Test): Sql {
  return sql`recovered IN (${listed(values.map((value) => value === 'true'))})`;
}

function onValue(dimension: Dimension, value: Sql, given: Test): Sql {
  switch (dimension.type) {
    case 'address':
      return onAddress(value, given);
    case 'number':
      return onNumber(value, given);
    default:
      return onText(value, given);
  }
}

function contains(text: string): (value: Sql) => Sql {
  return (value) => sql`contains(lower(${value}), lower(${text}))`;
}

function onText(value: Sql, { op, values }: Test): Sql {
  const [first = ''] = values;
  switch (op) {
    case '=':
      return sql`${value} = ${first}`;
    case 'in':
      return sql`${value} IN (${listed(values)})`;
    case '~':
      return contains(first)(value);
    case '=~':
      return sql`regexp_matches(${value}, ${first})`;
    case 'under': {
      const domain = bareHost(first);
      return sql`lower(${value}) = ${domain} OR ends_with(lower(${value}), ${`.${domain}`})`;
    }
    case 'empty':
      return sql`${value} = ''`;
    default:
      throw new Error(`text has no operator ${op}`);
  }
}

/** `num`: 128 bits; null where there is no address. */
function onAddress(num: Sql, { op, values }: Test): Sql {
  if (op === 'empty') return sql`id = 0`;
  const ranges = values.map((value) => (op === 'under' ? cidrRange(value) : addressRange(value)));
  return listed(
    ranges
      .filter((range): range is AddressRange => range !== null)
      .map(({ low, high }) => between(num, low, high)),
    ' OR ',
  );
}

/** As text: a parameter of JavaScript's big integers is signed, and the upper half of IPv6 does not fit. */
function between(num: Sql, low: bigint, high: bigint): Sql {
  return sql`${num} BETWEEN ${String(low)}::UHUGEINT AND ${String(high)}::UHUGEINT`;
}

function onNumber(value: Sql, { op, values }: Test): Sql {
  const ranges = values.map(numberRange).filter((range) => range !== null);
  const [first] = ranges;
  if (first === undefined) return sql`false`;
  switch (op) {
    case '<':
      return sql`${value} < ${first.low}`;
    case '<=':
      return sql`${value} <= ${first.low}`;
    case '>':
      return sql`${value} > ${first.low}`;
    case '>=':
      return sql`${value} >= ${first.low}`;
    default:
      return listed(
        ranges.map(({ low, high }) => sql`${value} BETWEEN ${low} AND ${high}`),
        ' OR ',
      );
  }
}
