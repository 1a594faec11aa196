import { Type } from '@sinclair/typebox';
import { closed, inEnvelope } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import { nullable, time, whole } from './values.ts';

const AGENT = {
  agent_id: Type.String(),
  id: Type.String({ description: 'the same' }),
  last_sync: nullable(time()),
  last_active: nullable(time()),
  connection_count: whole('records, overlay included'),
  connections_count: whole('the same'),
  total_download: whole(),
  total_upload: whole(),
  total_traffic: whole(),
  status: oneOf(['online', 'offline']),
  version: Type.String(),
  protocol: Type.Integer({ minimum: 1, maximum: 2, description: 'the wire that it speaks' }),
  core: closed({ version: Type.String(), state: Type.String() }),
  last_snapshot: nullable(time()),
  clock_offset_ms: Type.Integer(),
  backlog: closed({ rows: whole() }),
  sync_interval: whole('seconds'),
  sample_interval: whole('milliseconds'),
  booked_to: nullable(time()),
  quarantined: whole(),
  journal: closed({ bytes: whole(), budget: whole() }),
  lost: closed({ connections: whole(), download: whole(), upload: whole() }),
  conflict: nullable(closed({ since: time(), at: time(), reason: Type.String() })),
};

export const AgentsAnswer = inEnvelope(Type.Array(closed(AGENT)));

const BYTES_OF = { count: whole('connections'), download: whole(), upload: whole() };

export const AgentStatusAnswer = inEnvelope(
  closed({
    ...AGENT,
    is_active: Type.Boolean(),
    networks: Type.Array(closed({ network: Type.String(), ...BYTES_OF })),
    rules: Type.Array(closed({ rule: Type.String(), ...BYTES_OF })),
  }),
);
