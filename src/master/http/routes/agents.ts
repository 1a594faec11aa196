import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { CodedError } from '../../../common/errors.ts';
import { type AgentTotals, agentView, isOnline } from '../agent-view.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { addQuestion } from '../question.ts';

const NoQuery = Type.Object({}, { additionalProperties: false });
const NOTHING: AgentTotals = { download: 0, upload: 0 };

export function agentsRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const now = deps.now ?? Date.now;

  addQuestion(app, {
    path: '/agents',
    scope: 'read',
    query: NoQuery,
    answer: async () => {
      await deps.flusher.flushNow();
      const [agents, totals] = await Promise.all([deps.records.agents(), totalsByAgent(deps)]);
      return success(agents.map((agent) => agentView(agent, totals.get(agent.agentId) ?? NOTHING, now())));
    },
  });

  addQuestion(app, {
    path: '/agents/:id/status',
    scope: 'read',
    query: NoQuery,
    answer: async (_query, request) => {
      const { id } = request.params as { id: string };
      const agent = (await deps.records.agents()).find((candidate) => candidate.agentId === id);
      if (agent === undefined) throw new CodedError('not_found', 'there is no agent of that id');
      await deps.flusher.flushNow();
      const [totals, networks, rules] = await Promise.all([
        totalsByAgent(deps),
        groupsOf(deps, id, 'network'),
        groupsOf(deps, id, 'rule'),
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

async function totalsByAgent({ statistics }: HttpDeps): Promise<Map<string, AgentTotals>> {
  return new Map((await statistics.agentTotals()).map((row) => [row.agentId, row]));
}

/** Rows `{<key>, count, download, upload}`, the largest first. */
async function groupsOf({ statistics }: HttpDeps, agent: string, key: 'network' | 'rule'): Promise<object[]> {
  const { data } = await statistics.group({
    from: null,
    to: null,
    tz: 'UTC',
    filters: { agent_id: agent },
    groupBy: key,
    sortBy: 'total',
    order: 'desc',
    limit: 1000,
  });
  return data.map((row) => {
    const { [key]: value, count, download, upload } = row as Record<string, unknown>;
    return { [key]: value, count, download, upload };
  });
}
