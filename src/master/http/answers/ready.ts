import { Type } from '@sinclair/typebox';
import { closed, inEnvelope } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import { nullable, whole } from './values.ts';

const state = () => oneOf(['ok', 'warning', 'error']);

const Component = closed({
  state: state(),
  reason: Type.Optional(Type.String()),
  values: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Null()]))),
});

export const ReadyAnswer = inEnvelope(
  closed({
    state: state(),
    components: Type.Record(Type.String(), Component),
    agents: Type.Array(
      closed({
        agent_id: Type.String(),
        snapshot_age_ms: nullable(whole()),
        sync_age_ms: nullable(whole()),
      }),
    ),
  }),
);
