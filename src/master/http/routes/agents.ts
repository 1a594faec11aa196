import type { FastifyInstance } from 'fastify';
import { CodedError } from '../../../common/errors.ts';
import { type AgentTotals, agentView, isOnline } from '../agent-view.ts';
import { AgentStatusAnswer, AgentsAnswer } from '../answers/agents.ts';
import { closed } from '../contract.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { NoQuery, text } from '../parameters.ts';
import { addQuestion } from '../question.ts';

const NOTHING: AgentTotals = { download: 0, upload: 0 };

export function agentsRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const now = deps.now ?? Date.now;

  addQuestion(app, {
    path: '/agents',
    scope: 'read',
    summary: 'All agents, by their last contact',
    query: NoQuery,
    returns: AgentsAnswer,
    answer: async () => {
      const [agents, totals] = await Promise.all([deps.records.agents(), totalsByAgent(deps)]);
      return success(agents.map((agent) => agentView(agent, totals.get(agent.agentId) ?? NOTHING, now())));
    },
  });

  addQuestion(app, {
    path: '/agents/:id/status',
    scope: 'read',
    summary: 'One agent, with its networks and rules',
    params: closed({ id: text('agent id') }),
    query: NoQuery,
    returns: AgentStatusAnswer,
    errors: ['not_found'],
    answer: async (_query, { params: { id } }) => {
      const [agent] = await deps.records.agents(id);
      if (agent === undefined) throw new CodedError('not_found', 'there is no agent of that id');
      const [totals, { networks, rules }] = await Promise.all([
        totalsByAgent(deps, id),
        deps.catalogue.agentDetail(id),
      ]);
      return success({
        ...agentView(agent, totals.get(id) ?? NOTHING, now()),
        is_active: isOnline(agent, now()),
        networks,
        rules,
      });
    },
  });
}

async function totalsByAgent({ catalogue }: HttpDeps, agent?: string): Promise<Map<string, AgentTotals>> {
  return new Map((await catalogue.perAgent(agent)).map((row) => [row.agent, row]));
}
