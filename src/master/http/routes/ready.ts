import type { FastifyInstance } from 'fastify';
import { CodedError } from '../../../common/errors.ts';
import type { AgentRow } from '../../records/query.ts';
import { ReadyAnswer } from '../answers/ready.ts';
import type { HttpDeps } from '../deps.ts';
import { failure, success } from '../envelope.ts';
import { NoQuery } from '../parameters.ts';
import { addQuestion } from '../question.ts';
import { agentAges, checkReadiness, type ReadinessProbe } from '../readiness.ts';

/** 503 until every part can serve; the parts and the agents' ages are told either way. */
export function readyRoute(app: FastifyInstance, deps: HttpDeps): void {
  addQuestion(app, {
    path: '/ready',
    scope: 'read',
    summary: 'Whether the master can serve, and how old its newest data is',
    query: NoQuery,
    returns: ReadyAnswer,
    errors: ['not_ready'],
    answer: async (_query, { reply }) => {
      let agents: AgentRow[] = [];
      // Of all that can fail unseen, the thread that answers from the records.
      const reader: ReadinessProbe = {
        name: 'records-reader',
        check: async () => {
          agents = await deps.records.agents();
          return { state: 'ok' };
        },
      };
      const report = await checkReadiness([reader, ...deps.probes]);
      const data = { ...report, agents: agentAges(agents, (deps.now ?? Date.now)()) };
      if (report.state !== 'error') return success(data);
      const failed = Object.entries(report.components).filter(([, component]) => component.state === 'error');
      const names = failed.map(([name]) => name).sort();
      reply.code(503).header('retry-after', '5');
      return failure(new CodedError('not_ready', `not ready: ${names.join(', ')}`), data);
    },
  });
}
