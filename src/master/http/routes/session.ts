import type { FastifyInstance } from 'fastify';
import { VERSION } from '../../../common/program.ts';
import { formatTime } from '../../../domain/time.ts';
import { SessionAnswer, type SessionWarning } from '../answers/session.ts';
import type { RouteDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { NoQuery } from '../parameters.ts';
import { addQuestion } from '../question.ts';
import type { Grant } from '../scope.ts';

const SOON_MS = 14 * 86_400_000;

/** Who the caller is to this master: what a page asks first. */
export function sessionRoute(app: FastifyInstance, deps: RouteDeps): void {
  const { records, trust, reachable, now = Date.now } = deps;
  const warningsOf = ({ by, expires }: Grant, at: number): SessionWarning[] => [
    ...(trust.level === 'network' && reachable ? (['open_to_network'] as const) : []),
    ...(by === 'token' && expires !== null && expires - at < SOON_MS
      ? (['token_expires_soon'] as const)
      : []),
  ];

  addQuestion(app, {
    path: '/session',
    scope: 'read',
    summary: 'Who the caller is to this master, and what it should know',
    description:
      'Any token but that of an agent, or an address that may read. 401 says that a token is needed: ask for one.',
    query: NoQuery,
    returns: SessionAnswer,
    answer: async (_query, { request: { grant } }) => {
      const at = now();
      const agents = await records.agents();
      return success({
        auth: grant.by === 'token' ? 'token' : 'none',
        scope: grant.scopes.has('admin') ? 'admin' : 'read',
        scope_filter: null,
        first_run: agents.length === 0,
        version: VERSION,
        time: formatTime(at),
        tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
        warnings: warningsOf(grant, at),
      });
    },
  });
}
