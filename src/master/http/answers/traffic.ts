import { Type } from '@sinclair/typebox';
import { BUCKET_STATES } from '../../query/bucket-states.ts';
import { METRICS } from '../../query/metrics.ts';
import { TIER_NAMES } from '../../store/store.ts';
import { closed } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import { epochMs, nullable, time, whole } from './values.ts';

/** Below zero only in unattributed bytes, and in what they are a part of. */
const bytes = () => Type.Integer();
const count = () => nullable(whole('null where it cannot be known'));
const rangeMs = () => closed({ from: epochMs(), to: epochMs() });

const Totals = closed({
  download: bytes(),
  upload: bytes(),
  total: bytes(),
  connections: Type.Optional(count()),
  opened: Type.Optional(count()),
  recovered: Type.Optional(whole('a part of the others')),
});
const Series = nullable(
  closed(
    Object.fromEntries(
      METRICS.map((metric) => [metric, Type.Optional(Type.Array(nullable(Type.Integer())))]),
    ),
  ),
);
const part = { totals: Totals, previous: nullable(Totals), series: Series };

const Data = closed({
  buckets: Type.Array(time()),
  bucket_states: Type.Array(oneOf(BUCKET_STATES)),
  gaps: Type.Array(closed({ agent_id: Type.String(), from: time(), to: time(), reason: Type.String() })),
  groups: Type.Array(
    closed({
      key: Type.Array(nullable(Type.String()), { description: 'null: all values beyond the top ones' }),
      labels: Type.Array(nullable(Type.String())),
      ...part,
    }),
  ),
  other: nullable(closed({ groups: count(), ...part })),
  unattributed: nullable(closed(part)),
  summary: closed({ totals: Totals, previous: nullable(Totals) }),
});

const Meta = closed({
  range: rangeMs(),
  previous: nullable(rangeMs()),
  interval: nullable(Type.String()),
  tier: oneOf(TIER_NAMES),
  aligned: Type.Boolean({ description: 'false: a bound or a point was moved outwards' }),
  fresh_to: epochMs(),
  range_cut: nullable(closed({ from: epochMs() })),
  elapsed_ms: Type.Number({ minimum: 0 }),
  unattributed: closed({ applies: Type.Boolean(), download: bytes(), upload: bytes() }),
  freshness: Type.Array(closed({ agent_id: Type.String(), booked_to: epochMs(), backlog_ms: whole() })),
  gaps_omitted: whole(),
  cut: Type.Boolean({ description: 'true: a sum is beyond 2^53, and given as 2^53 - 1' }),
});

/** The answer in its envelope; also a part of a batch. What each field means: `query/traffic-answer.ts`. */
export const TrafficAnswerSchema = closed({
  status: Type.Literal('success'),
  data: Data,
  message: Type.Null(),
  meta: Meta,
});
