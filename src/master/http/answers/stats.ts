import { Type } from '@sinclair/typebox';
import { GROUP_KEYS, groupSpec } from '../../query/group-keys.ts';
import { TIER_NAMES } from '../../store/store.ts';
import { closed, inEnvelope } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import { epochMs, nullable, TOTALS, time, whole } from './values.ts';

const Summary = closed(TOTALS);

/** A row has the key of its dimension beside what all rows have. */
const GroupRow = closed({
  label: Type.String(),
  ...TOTALS,
  ...Object.fromEntries(GROUP_KEYS.map((key) => [groupSpec(key).rowKey, Type.Optional(Type.String())])),
});

const Point = closed({
  time: time(),
  value: nullable(whole('null for connections where the filter tells bytes of one connection apart')),
  state: Type.Optional(oneOf(['gap'])),
});

const Meta = closed({
  tier: oneOf(TIER_NAMES),
  range: closed({ from: epochMs(), to: epochMs() }),
  aligned: Type.Boolean({ description: 'false: a bound was moved outwards' }),
  fresh_to: epochMs(),
  range_cut: nullable(closed({ from: epochMs() })),
  unattributed: closed({ applies: Type.Boolean(), download: Type.Integer(), upload: Type.Integer() }),
  other: nullable(closed({ ...TOTALS, groups: whole() })),
  cut: Type.Boolean({ description: 'true: a sum is beyond 2^53, and given as 2^53 - 1' }),
  elapsed_ms: Type.Number({ minimum: 0 }),
});

export const StatsAnswer = inEnvelope(Type.Union([Summary, Type.Array(GroupRow), Type.Array(Point)]), {
  meta: Meta,
});
