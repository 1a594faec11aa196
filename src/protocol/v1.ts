import { type Static, Type } from '@sinclair/typebox';

/**
 * `POST /api/v1/sync`, the original's wire: one record per connection with absolute counters, each a sample in the
 * minute of `last_updated`, base 0, no totals. Records are read one by one and tolerantly (`readV1` of the
 * master), for agents of v0.2.0 and for clients written by hand; a bad record never fails its package.
 */
export const SyncPackage = Type.Object({
  agent_id: Type.String({ minLength: 1, maxLength: 1024 }),
  connections: Type.Array(Type.Unknown()),
  sender: Type.Optional(Type.Unknown()),
});
export type SyncPackage = Static<typeof SyncPackage>;
