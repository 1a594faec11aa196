import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { ErrorDetail } from '../../../common/errors.ts';
import { unknownAgents } from '../../query/unknown-agents.ts';
import { VerifyAnswer } from '../answers/verify.ts';
import { boundsOf, checkRange, RANGE_PARAMETERS } from '../asked-range.ts';
import { bookSums } from '../book-sums.ts';
import type { HttpDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { oneOf, text, zoneOf } from '../parameters.ts';
import { addQuestion } from '../question.ts';
import { namedLots } from '../verify-missing.ts';
import { dayStart, inSteps, keptPeriods, VERIFY_GROUPS, verifyPeriods } from '../verify-periods.ts';
import { verifyRows } from '../verify-rows.ts';

const DAY_MS = 86_400_000;
/** What is verified when no range is given: so many days of the zone, today included. */
const DEFAULT_DAYS = 7;

export const VerifyQuery = Type.Object(
  {
    ...RANGE_PARAMETERS,
    agent: Type.Optional(text('agent id; default all')),
    group: Type.Optional(oneOf(VERIFY_GROUPS)),
  },
  { additionalProperties: false },
);
type VerifyQuery = Static<typeof VerifyQuery>;

/**
 * The books, from two stores that are written apart: core totals and what no totals cover from the records, what
 * was booked from the facts.
 */
export function verifyRoute(app: FastifyInstance, deps: HttpDeps): void {
  addQuestion(app, {
    path: '/verify',
    scope: 'read',
    summary: 'The books: what cores counted against what was booked',
    query: VerifyQuery,
    returns: VerifyAnswer,
    errors: ['query_too_large', 'query_timeout'],
    check: async (query) => [...checkRange(query), ...(await checkAgent(query, deps))],
    answer: (query) => answerOf(query, deps),
  });
}

async function checkAgent({ agent }: Partial<VerifyQuery>, { records }: HttpDeps): Promise<ErrorDetail[]> {
  if (agent === undefined) return [];
  const problem = unknownAgents([agent], await records.agents(agent));
  return problem === null ? [] : [{ field: 'agent', problem }];
}

async function answerOf(query: VerifyQuery, deps: HttpDeps) {
  const now = (deps.now ?? Date.now)();
  const zone = zoneOf(query.tz);
  const asked = boundsOf(query, now);
  const to = asked.to ?? now;
  const from = asked.from ?? dayStart(zone, to - (DEFAULT_DAYS - 1) * DAY_MS);
  const named = verifyPeriods(query.group ?? 'day', zone, from, to);
  const { step, keptFrom } = await deps.catalogue.daysKept({ from, to, tz: zone });
  const periods = keptPeriods(inSteps(named, step), keptFrom);
  const range = { from: periods[0]?.from ?? to, to: periods.at(-1)?.to ?? to };
  const { agent } = query;
  // Asked first: what is flushed between the two readings is then open, not unbalanced.
  const waiting = await deps.records.waiting();
  // And these, for whatever is too large to be answered is so by its agents and periods.
  const core = await deps.records.coreTotals(periods, agent);
  const [agents, gaps, lost, runs, days, missing] = await Promise.all([
    deps.records.agents(agent),
    deps.records.gaps(range.from, range.to, agent),
    deps.records.lost(range.from, range.to, agent),
    deps.records.firstRuns(agent),
    deps.catalogue.dailySums({ agent, ...range, tz: zone }),
    deps.catalogue.missing(range),
  ]);
  const booked = bookSums(days, periods);
  const rows = verifyRows({ periods, agents, core, booked, gaps, lost, runs, waiting, missing, now });
  return success(rows, {
    meta: { range_cut: from < keptFrom ? { from: keptFrom } : null, missing: missing.map(namedLots) },
  });
}
