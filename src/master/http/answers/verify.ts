import { Type } from '@sinclair/typebox';
import { closed, inEnvelope } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import { bothWays, epochMs, nullable, signedBothWays, time, whole } from './values.ts';

const lots = {
  reason: oneOf(['not-kept', 'rolled-off', 'rebuilt']),
  first_lot: whole(),
  last_lot: whole(),
};

const Row = closed({
  agent_id: Type.String(),
  day: nullable(Type.String({ description: '2026-01-31, 2026-01, or null for a whole range' })),
  from: time(),
  to: time(),
  core: nullable(bothWays()),
  attributed: bothWays(),
  recovered: bothWays(),
  unattributed: signedBothWays(),
  unmeasured: signedBothWays(),
  difference: nullable(signedBothWays()),
  missing: Type.Array(closed({ ...lots, download: Type.Integer(), upload: Type.Integer() }), {
    description: 'lots of which the facts are missing, and how much of the difference they explain',
  }),
  lost: bothWays(),
  coverage: nullable(Type.Number({ minimum: 0, maximum: 1 })),
  gaps: Type.Array(closed({ from: time(), to: time(), reason: Type.String() })),
  state: oneOf(['balanced', 'open', 'incomplete', 'unbalanced', 'not measured']),
});

const Missing = closed({
  ...lots,
  from: time(),
  to: time(),
  download: Type.Integer(),
  upload: Type.Integer(),
});

export const VerifyAnswer = inEnvelope(Type.Array(Row), {
  meta: closed({
    range_cut: nullable(closed({ from: epochMs() })),
    missing: Type.Array(Missing, { description: 'of all agents, those that touch the time of the answer' }),
  }),
});
