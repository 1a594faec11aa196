import { type TSchema, Type } from '@sinclair/typebox';
import { BUCKET_STATES } from '../../query/bucket-states.ts';
import { METRICS } from '../../query/metrics.ts';
import { closed } from '../contract.ts';
import { oneOf } from '../parameters.ts';

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const bytes = Type.Integer();
const count = orNull(Type.Integer());
const time = Type.String({ format: 'date-time' });
const at = Type.Integer({ description: 'epoch milliseconds' });
const rangeMs = closed({ from: at, to: at });

const Totals = closed({
  download: bytes,
  upload: bytes,
  total: bytes,
  connections: Type.Optional(count),
  opened: Type.Optional(count),
  recovered: Type.Optional(bytes),
});
const Series = orNull(
  Type.Partial(
    closed(Object.fromEntries(METRICS.map((metric) => [metric, Type.Array(orNull(Type.Integer()))]))),
  ),
);
const part = { totals: Totals, previous: orNull(Totals), series: Series };

/** The shape of `TrafficData` (`query/traffic-answer.ts`), which says what each part means. */
const Data = closed({
  buckets: Type.Array(time),
  bucket_states: Type.Array(oneOf(BUCKET_STATES)),
  gaps: Type.Array(closed({ agent_id: Type.String(), from: time, to: time, reason: Type.String() })),
  groups: Type.Array(
    closed({
      key: Type.Array(orNull(Type.String())),
      labels: Type.Array(orNull(Type.String())),
      ...part,
    }),
  ),
  other: orNull(closed({ groups: count, ...part })),
  unattributed: orNull(closed(part)),
  summary: closed({ totals: Totals, previous: orNull(Totals) }),
});

/** The shape of `TrafficMeta`. */
const Meta = closed({
  range: rangeMs,
  previous: orNull(rangeMs),
  interval: orNull(Type.String()),
  tier: oneOf(['minute', 'half_hour']),
  aligned: Type.Boolean(),
  fresh_to: at,
  range_cut: orNull(closed({ from: at })),
  elapsed_ms: Type.Integer(),
  unattributed: closed({ applies: Type.Boolean(), download: bytes, upload: bytes }),
  freshness: Type.Array(closed({ agent_id: Type.String(), booked_to: at, backlog_ms: Type.Integer() })),
  gaps_omitted: Type.Integer(),
  cut: Type.Boolean(),
});

/** The answer in its envelope; also a part of a batch. */
export const TrafficAnswerSchema = closed({
  status: Type.Literal('success'),
  data: Data,
  message: Type.Null(),
  meta: Meta,
});
