import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { CodedError, type ErrorDetail } from '../../../common/errors.ts';
import { isLocalAgentId, normalAgentId } from '../../../domain/agent-id.ts';
import { normalTokenName, TOKEN_NAME_RULE, TOKEN_SCOPES } from '../../../domain/token.ts';
import { type NewToken, tokenView } from '../../tokens/token.ts';
import { CreatedTokenAnswer, RevokedTokenAnswer, TokensAnswer } from '../answers/tokens.ts';
import { addCommand } from '../command.ts';
import { closed } from '../contract.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { instantOf, NoQuery, oneOf, text, zonedInstant } from '../parameters.ts';
import { addQuestion } from '../question.ts';

const TokenBody = closed({
  name: text(`how it is called in lists; ${TOKEN_NAME_RULE}`),
  scope: oneOf(TOKEN_SCOPES),
  agent_id: Type.Optional(text('the one agent that may deliver with it; for scope agent, which needs it')),
  expires: Type.Optional(zonedInstant()),
});
type TokenBody = Static<typeof TokenBody>;

const TokenParams = closed({ id: Type.String({ pattern: '^[1-9][0-9]{0,14}$' }) });

/** Tokens of agents and clients: made, listed, revoked. The secret is in the answer that makes it, and nowhere else. */
export function tokensRoutes(app: FastifyInstance, { tokens, logger, now = Date.now }: HttpDeps): void {
  addQuestion(app, {
    path: '/tokens',
    scope: 'admin',
    summary: 'All tokens but --api-token, without their secrets',
    query: NoQuery,
    returns: TokensAnswer,
    answer: async () => success(tokens.list().map(tokenView)),
  });

  addCommand(app, {
    path: '/tokens',
    scope: 'admin',
    summary: 'Make a token',
    description: 'The secret is in this answer alone: only its hash is stored.',
    body: TokenBody,
    returns: CreatedTokenAnswer,
    errors: ['name_taken', 'too_many_tokens'],
    check: (body) => checkToken(body, now()),
    answer: async (body) => {
      const { token, secret } = await tokens.create(toToken(body));
      logger.info({ id: token.id, name: token.name, scope: token.scope }, 'token made');
      return success({ ...tokenView(token), secret });
    },
  });

  addCommand(app, {
    method: 'DELETE',
    path: '/tokens/:id',
    scope: 'admin',
    summary: 'Revoke a token',
    description: 'It works no more when this is answered.',
    params: TokenParams,
    returns: RevokedTokenAnswer,
    errors: ['not_found'],
    answer: async (_body, { params }) => {
      const id = Number(params.id);
      if (!(await tokens.revoke(id))) throw new CodedError('not_found', 'there is no token of that number');
      logger.info({ id }, 'token revoked');
      return success(null);
    },
  });
}

function checkToken(body: Partial<TokenBody>, now: number): ErrorDetail[] {
  const { name, scope, agent_id: agentId, expires } = body;
  const details: ErrorDetail[] = [];
  const wrong = (field: keyof TokenBody, problem: string) => details.push({ field, problem });
  if (name !== undefined && normalTokenName(name) === null) wrong('name', `must be ${TOKEN_NAME_RULE}`);
  if (scope === 'agent' && agentId === undefined) wrong('agent_id', 'is required for scope "agent"');
  if (scope !== undefined && scope !== 'agent' && agentId !== undefined) {
    wrong('agent_id', 'is for scope "agent" only: nobody else is bound to an id');
  } else if (agentId !== undefined) {
    const id = normalAgentId(agentId);
    if (id === null) wrong('agent_id', 'must be 1 to 128 characters without controls');
    else if (isLocalAgentId(id)) wrong('agent_id', "belongs to the master's own agent, which needs no token");
  }
  const end = instantOf(expires);
  if (end !== undefined && end <= now) wrong('expires', 'is past');
  return details;
}

/** Of a body that was found right. */
function toToken({ name, scope, agent_id: agentId, expires }: TokenBody): NewToken {
  return {
    name: normalTokenName(name) ?? name,
    scope,
    agentId: agentId === undefined ? null : normalAgentId(agentId),
    expires: instantOf(expires) ?? null,
  };
}
