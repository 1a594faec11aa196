import type { FastifyInstance } from 'fastify';
import { CodedError } from '../../../common/errors.ts';
import type { AgentRow } from '../../records/query.ts';
import type { HttpDeps } from '../deps.ts';
import { failure, success } from '../envelope.ts';
import { agentAges, checkReadiness, type ReadinessProbe } from '../readiness.ts';

/** 503 until every part can serve; the parts and the agents' ages are told either way. */
export function readyRoute(app: FastifyInstance, deps: HttpDeps): void {
  app.get('/ready', { config: { scope: 'read' } }, async (_request, reply) => {
    let agents: AgentRow[] = [];
    const records: ReadinessProbe = {
      name: 'records',
      check: async () => {
        agents = await deps.records.agents();
        return { state: 'ok' };
      },
    };
    const report = await checkReadiness([records, ...deps.probes]);
    const data = { ...report, agents: agentAges(agents, (deps.now ?? Date.now)()) };
    if (report.state !== 'error') return success(data);
    const failed = Object.keys(report.components).filter(
      (name) => report.components[name]?.state === 'error',
    );
    reply.code(503).header('retry-after', '5');
    return failure(new CodedError('not_ready', `not ready: ${failed.sort().join(', ')}`), data);
  });
}
