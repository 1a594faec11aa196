import { Type } from '@sinclair/typebox';
import { closed, inEnvelope } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import { bothWays, nullable, signedBothWays, time } from './values.ts';

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
  lost: bothWays(),
  coverage: nullable(Type.Number({ minimum: 0, maximum: 1 })),
  gaps: Type.Array(closed({ from: time(), to: time(), reason: Type.String() })),
  state: oneOf(['balanced', 'open', 'unbalanced', 'not measured']),
});

export const VerifyAnswer = inEnvelope(Type.Array(Row));
