import { Type } from '@sinclair/typebox';
import { TOKEN_SCOPES } from '../../../domain/token.ts';
import { closed, inEnvelope } from '../contract.ts';
import { oneOf } from '../parameters.ts';
import { nullable, time, whole } from './values.ts';

const TOKEN = {
  id: whole(),
  name: Type.String(),
  scope: oneOf(TOKEN_SCOPES),
  agent_id: nullable(Type.String()),
  created: time(),
  expires: nullable(time()),
  last_used: nullable(time()),
};

export const TokensAnswer = inEnvelope(Type.Array(closed(TOKEN)));

export const CreatedTokenAnswer = inEnvelope(
  closed({
    ...TOKEN,
    secret: Type.String({ description: 'to be presented as a bearer token; shown this once' }),
  }),
);

export const RevokedTokenAnswer = inEnvelope(Type.Null());
