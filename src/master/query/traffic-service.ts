import { MINUTE_MS } from '../../domain/bucket.ts';
import { admitsAgent } from '../../domain/filter/names.ts';
import { printFilter } from '../../domain/filter/print.ts';
import { formatTime } from '../../domain/time.ts';
import { deliveredTo } from '../records/delivered-to.ts';
import type { AgentRow, GapRow, Records } from '../records/query.ts';
import type { FactReader, ReadOptions } from '../store/store.ts';
import { type BucketState, bucketStates } from './bucket-states.ts';
import { KeptReader } from './kept.ts';
import type { MinuteRange } from './range.ts';
import type { Freshness } from './stats-service.ts';
import { isCut } from './sums.ts';
import { factsIn } from './tier.ts';
import type { TrafficAnswer, TrafficData, TrafficMeta, TrafficPart } from './traffic-answer.ts';
import { TrafficCache } from './traffic-cache.ts';
import { askFacts, type Points, type TrafficFacts } from './traffic-facts.ts';
import { planTraffic, type TrafficPlan } from './traffic-plan.ts';
import type { TrafficQuestion } from './traffic-question.ts';
import { addTotals, seriesOfTotals } from './traffic-rows.ts';
import { formatIn } from './zone.ts';

export interface TrafficDependencies {
  facts: FactReader;
  records: Pick<Records, 'agents' | 'gaps'>;
  freshness: Freshness;
  now?: () => number;
  /** Facts above which tuples with a wide dimension are not all grouped. */
  crowdedFacts?: number;
}

/** Gaps listed in an answer, newest first; the states of the points know all. */
const MAX_GAPS = 1000;
/** An agent that was away for longer than journals are kept by default is not waited for. */
const GONE_MS = 7 * 86_400_000;

/** Answers `POST /query`: any dimensions, any filter, any interval, from whichever tier can. */
export class TrafficService {
  readonly #facts: FactReader;
  readonly #records: Pick<Records, 'agents' | 'gaps'>;
  readonly #freshness: Freshness;
  readonly #now: () => number;
  readonly #crowdedFacts: number | undefined;
  readonly #kept = new KeptReader();
  readonly #cache = new TrafficCache();

  constructor({ facts, records, freshness, now = Date.now, crowdedFacts }: TrafficDependencies) {
    this.#facts = facts;
    this.#records = records;
    this.#freshness = freshness;
    this.#now = now;
    this.#crowdedFacts = crowdedFacts;
  }

  /** Of a question that was checked. Throws `query_too_large`, `query_timeout`, `too_many_requests`. */
  async answer(question: TrafficQuestion, options?: ReadOptions): Promise<TrafficAnswer> {
    const begun = performance.now();
    const now = this.#now();
    const known = await this.#records.agents();
    const agents = agentsOf(question, known);
    const asked = agents.length === known.length ? null : agents.map(({ agentId }) => agentId);
    await this.#freshness.flushNow();
    const freshTo = this.#freshness.state.freshTo;
    const { plan, facts } = await this.#facts.read(async (run, admit) => {
      const kept = await this.#kept.read(run);
      const made = planTraffic(question, asked, kept, now, this.#crowdedFacts);
      const ranges = made.compared === null ? [made.present] : [made.present, made.compared];
      const found = await this.#cache.get(keyOf(made), ranges, kept, run, async () => {
        await admit(factsIn(ranges, made.source.tier, kept));
        return askFacts(run, made);
      });
      return { plan: made, facts: found };
    }, options);
    const gaps = await this.#gapsOf(plan.present, question, agents);
    const states = statesOf(plan, agents, gaps, now);
    const data = dataOf(plan, facts, states);
    data.gaps = gaps.slice(-MAX_GAPS).map((gap) => ({
      agent_id: gap.agentId,
      from: formatTime(gap.from),
      to: formatTime(gap.to),
      reason: gap.reason,
    }));
    const meta: TrafficMeta = {
      range: inMs(plan.answered[0]),
      previous: plan.answered[1] === undefined ? null : inMs(plan.answered[1]),
      interval: plan.interval,
      tier: plan.source.tier,
      aligned: plan.aligned,
      fresh_to: freshTo,
      range_cut: plan.cutFrom === null ? null : { from: plan.cutFrom * MINUTE_MS },
      elapsed_ms: Math.round(performance.now() - begun),
      unattributed: {
        applies: plan.unattributedApplies,
        download: facts.unattributed.totals.download,
        upload: facts.unattributed.totals.upload,
      },
      freshness: agents.map((agent) => ({
        agent_id: agent.agentId,
        booked_to: agent.bookedTo,
        backlog_ms: Math.max(0, agent.lastSnapshot - agent.bookedTo - MINUTE_MS),
      })),
      gaps_omitted: Math.max(0, gaps.length - MAX_GAPS),
      cut: isCut(data),
    };
    return { data, meta };
  }

  async #gapsOf(range: MinuteRange, { agents }: TrafficQuestion, asked: AgentRow[]): Promise<GapRow[]> {
    const [one, ...more] = agents ?? [];
    const only = one !== undefined && more.length === 0 ? one : undefined;
    const { from, to } = inMs(range);
    const rows = await this.#records.gaps(from, to, only);
    const ids = new Set(asked.map(({ agentId }) => agentId));
    return rows.filter(({ agentId }) => ids.has(agentId));
  }
}

/** The agents that the question is about. */
function agentsOf({ agents, filter }: TrafficQuestion, known: readonly AgentRow[]): AgentRow[] {
  return known.filter(
    ({ agentId }) => (agents === null || agents.includes(agentId)) && admitsAgent(filter, agentId),
  );
}

function inMs({ from, to }: MinuteRange): { from: number; to: number } {
  return { from: from * MINUTE_MS, to: to * MINUTE_MS };
}

/** The same for all questions that read the same facts in the same way. */
function keyOf({ question, source, present, compared, starts, cutFrom }: TrafficPlan): string {
  const { filter, agents, groupBy, metrics, top, topBy, topMode, tz, overlay } = question;
  const text = filter === null ? null : printFilter(filter);
  return JSON.stringify([
    ...[source.tier, overlay, present, compared, starts, cutFrom, tz],
    ...[text, agents, groupBy, metrics, top, topBy, topMode],
  ]);
}

function statesOf(
  { starts, present }: TrafficPlan,
  agents: readonly AgentRow[],
  gaps: readonly GapRow[],
  now: number,
): BucketState[] {
  const byAgent = Map.groupBy(gaps, ({ agentId }) => agentId);
  const times = agents.map((agent) => ({
    gaps: byAgent.get(agent.agentId) ?? [],
    deliveredTo: now - agent.lastContact > GONE_MS ? now : arrivedTo(agent),
  }));
  return bucketStates(starts, present.to, times, now);
}

/** An agent of the original says nothing where nothing changed. */
function arrivedTo(agent: AgentRow): number {
  return agent.protocol === 1 ? agent.lastContact : deliveredTo(agent);
}

function dataOf(plan: TrafficPlan, facts: TrafficFacts, states: BucketState[]): TrafficData {
  const { metrics } = plan.question;
  const { unattributedApplies: applies, interval, starts } = plan;
  const parts: Points[] = [
    ...facts.groups.map(({ points }) => points),
    ...(facts.other === null ? [] : [facts.other.points]),
    facts.unattributed.points,
  ];
  const unknown = states.map(
    (state, index) => state === 'gap' && parts.every((points) => (points[index]?.total ?? 0) === 0),
  );
  const series = (points: Points) => (interval === null ? null : seriesOfTotals(points, metrics, unknown));
  const part = ({ totals, previous, points }: Omit<TrafficPart, 'series'> & { points: Points }) => ({
    totals,
    previous,
    series: series(points),
  });
  const { whole, unattributed } = facts;
  const withRest = (a: TrafficPart['previous'], b: TrafficPart['previous']) =>
    a && b && applies ? addTotals(a, b) : a;
  return {
    buckets: starts.map((start) => formatIn(plan.question.tz, start)),
    bucket_states: states,
    gaps: [],
    groups: facts.groups.map((group) => ({ key: group.key, labels: group.labels, ...part(group) })),
    other: facts.other && { groups: facts.other.groups, ...part(facts.other) },
    unattributed: applies ? part(unattributed) : null,
    summary: {
      totals: applies ? addTotals(whole.totals, unattributed.totals) : whole.totals,
      previous: withRest(whole.previous, unattributed.previous),
    },
  };
}
