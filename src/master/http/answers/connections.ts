import { type TSchema, Type } from '@sinclair/typebox';
import { DESCRIPTIVE_FIELDS } from '../../../domain/connection.ts';
import { DERIVED_DIMENSIONS } from '../../records/query.ts';
import { closed, inEnvelope } from '../contract.ts';
import { epochMs, nullable, time, whole } from './values.ts';

const DESCRIPTIVE: Record<string, TSchema> = Object.fromEntries(
  DESCRIPTIVE_FIELDS.map(({ name, type }) => [name, type === 'integer' ? Type.Integer() : Type.String()]),
);

/** A record of the original may hold a time that is none, shown as it was stored. */
const storedTime = () => Type.String({ description: 'RFC 3339 in UTC' });

/** What a record has of its own. */
const RECORD = {
  id: Type.String(),
  agent_id: Type.String(),
  download: whole(),
  upload: whole(),
  last_updated: storedTime(),
  start: storedTime(),
  closed_at: nullable(time()),
  counted: Type.Boolean({ description: 'false: repeats bytes of another connection' }),
  ...DESCRIPTIVE,
  ...(Object.fromEntries(DERIVED_DIMENSIONS.map(({ name }) => [name, Type.String()])) as Record<
    string,
    TSchema
  >),
};

const RANGE_CUT = nullable(closed({ from: epochMs() }));

export const ConnectionsAnswer = inEnvelope(
  Type.Array(
    closed({
      ...RECORD,
      in_range: nullable(
        closed({ download: whole(), upload: whole(), recovered: whole('a part of both together') }),
      ),
    }),
  ),
  {
    total_count: whole('exact up to 100,000'),
    meta: closed({
      range: closed({ from: nullable(epochMs()), to: nullable(epochMs()) }),
      range_cut: RANGE_CUT,
      fresh_to: epochMs(),
      count_capped: Type.Boolean(),
      next_cursor: nullable(Type.String()),
    }),
  },
);

const MINUTE = Type.Array(Type.Integer(), {
  minItems: 4,
  maxItems: 4,
  description: 'start of the minute (epoch milliseconds), download, upload, the recovered part of both',
});

export const ConnectionAnswer = inEnvelope(
  closed({
    ...RECORD,
    minutes: nullable(Type.Array(MINUTE)),
    hops: Type.Array(Type.String(), { description: 'policy group first, exit node last' }),
  }),
  { meta: closed({ range_cut: RANGE_CUT, fresh_to: epochMs() }) },
);
