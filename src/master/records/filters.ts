import { lowered } from '../../domain/filter/lowered.ts';
import type { GroupKey } from '../query/group-keys.ts';
import { DIMENSION_VALUES, RULE_TEXT, textOf } from './dimension-values.ts';

/**
 * The original's parameters as conditions on records, with the meaning that `query/filter.ts` gives them for facts:
 * exact, but for `destination`. User text is always bound; what stands here is all the SQL there is.
 */
interface RecordFilter {
  readonly sql: string;
  /** Values for the question marks of `sql`, in order. */
  readonly bind: (value: string) => readonly string[];
}

const once = (value: string): readonly string[] => [value];
const is = (expression: string): RecordFilter => ({ sql: `${expression} = ?`, bind: once });

const AGENT: RecordFilter = is('c.agent_id');
const COUNTRY = `${DIMENSION_VALUES.country} = ?`;
/** The host's name, or the address where there is none. */
const SHOWN_HOST = `iif(${textOf('host')} <> '', c.host, ${textOf('destination_ip')})`;

export const RECORD_FILTERS: Readonly<Record<GroupKey, RecordFilter>> = {
  ...(Object.fromEntries(
    Object.entries(DIMENSION_VALUES).map(([name, value]) => [name, is(value)]),
  ) as Record<keyof typeof DIMENSION_VALUES, RecordFilter>),
  agent: AGENT,
  agent_id: AGENT,
  host: is(SHOWN_HOST),
  destination_port: { sql: `${DIMENSION_VALUES.destination_port} = port_of(?)`, bind: once },
  // Both forms: `RULE` finds it with any payload, `RULE (payload)` with that one.
  rule: { sql: `(${DIMENSION_VALUES.rule} = ? OR ${RULE_TEXT} = ?)`, bind: (value) => [value, value] },
  destination: {
    sql: `iif(? = '', ${textOf('destination_ip')} = '',
      has_part(${textOf('destination_ip')}, ?) OR has_part(${textOf('host')}, ?))`,
    bind: (value) => [value, lowered(value), lowered(value)],
  },
  geoip: { sql: COUNTRY, bind: (value) => [value.toUpperCase()] },
  chains: is(DIMENSION_VALUES.node),
};
