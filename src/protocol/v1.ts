import { DESCRIPTIVE_FIELDS } from '../domain/connection.ts';

/**
 * `POST /api/v1/sync`, the original's wire: one record per connection with absolute counters, each a sample in
 * the minute of `last_updated`, base 0, no totals. Records are read tolerantly (`readV1Record`), for agents of
 * v0.2.0 and for clients written by hand; a bad record is quarantined and never fails its batch.
 */
export interface V1Record {
  id: string;
  /** The record's own agent, else that of the envelope. */
  agent_id: string;
  download: number;
  upload: number;
  /** Epoch milliseconds. */
  last_updated: number;
  start: number;
  /** Values of DESCRIPTIVE_FIELDS, in their order. */
  values: (string | number)[];
}

export interface V1Package {
  agent_id: string;
  connections: unknown[];
}

/** The names that a v1 record may hold; ours add `provider`, which old agents do not send. */
export const V1_FIELDS = DESCRIPTIVE_FIELDS.map((field) => field.name);
