import { type TSchema, Type } from '@sinclair/typebox';
import { DESCRIPTIVE_FIELDS } from '../../../domain/connection.ts';
import { closed, inEnvelope } from '../contract.ts';
import { nullable, time, whole } from './values.ts';

const DESCRIPTIVE: Record<string, TSchema> = Object.fromEntries(
  DESCRIPTIVE_FIELDS.map(({ name, type }) => [name, type === 'integer' ? Type.Integer() : Type.String()]),
);

/** A record of the original may hold a time that is none, shown as it was stored. */
const storedTime = () => Type.String({ description: 'RFC 3339 in UTC' });

export const CONNECTION = closed({
  id: Type.String(),
  agent_id: Type.String(),
  download: whole(),
  upload: whole(),
  last_updated: storedTime(),
  start: storedTime(),
  closed_at: nullable(time()),
  counted: Type.Boolean({ description: 'false: repeats bytes of another connection' }),
  ...DESCRIPTIVE,
});

export const ConnectionsAnswer = inEnvelope(Type.Array(CONNECTION), {
  total_count: whole('exact up to 100,000'),
  meta: closed({ count_capped: Type.Boolean(), next_cursor: nullable(Type.String()) }),
});
