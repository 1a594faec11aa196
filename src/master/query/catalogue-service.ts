import { MINUTE_MS } from '../../domain/bucket.ts';
import { mentions } from '../../domain/filter/names.ts';
import { missingOf, missingQuery } from '../store/missing.ts';
import type { FactReader, MissingFacts, ReadOptions, RunQuery } from '../store/store.ts';
import type { BytesSum, DailySum, OptionRow, Totals } from './answers.ts';
import type { Filters, Part } from './filter.ts';
import { groupSpec } from './group-keys.ts';
import { KeptReader } from './kept.ts';
import { optionStatements } from './options.ts';
import { MAX_GROUPS, type OptionsQuestion, type StatsQuestion } from './questions.ts';
import { resolveRange } from './range.ts';
import { bytesOf, groupsOf } from './read-rows.ts';
import { pointsOf } from './series-points.ts';
import { dailyStatement, groupStatement } from './statements.ts';
import type { Freshness } from './stats-service.ts';
import { toNumber } from './sums.ts';
import { factsIn, type Kept } from './tier.ts';
import { type View, viewOf } from './view.ts';

export interface AgentTotals extends Totals {
  agent: string;
}

/** What one agent's bytes were, for its own page. */
export interface AgentDetail {
  networks: ({ network: string; count: number } & BytesSum)[];
  rules: ({ rule: string; count: number } & BytesSum)[];
}

export interface DaysKept {
  step: number;
  keptFrom: number;
}

/** More agents than a master takes, those of an imported database included. */
const ALL_AGENTS = 1_000_000;

/** Sums that other pages than `/stats` show: agents, suggestions, the books. */
export class CatalogueService {
  readonly #facts: FactReader;
  readonly #freshness: Freshness;
  readonly #now: () => number;
  readonly #kept = new KeptReader();

  constructor(dependencies: { facts: FactReader; freshness: Freshness; now?: () => number }) {
    this.#facts = dependencies.facts;
    this.#freshness = dependencies.freshness;
    this.#now = dependencies.now ?? Date.now;
  }

  /** Values to choose from, by bytes; at most `limit` (default 100). */
  async filterOptions(question: OptionsQuestion, options?: ReadOptions): Promise<OptionRow[]> {
    const limit = Math.min(question.limit ?? 100, MAX_GROUPS);
    return await this.#facts.read(async (run) => {
      // Not admitted by size: somebody is typing, and waits for no report.
      const { part } = await this.#partOf(run, question);
      const byValue = new Map<string, OptionRow>();
      for (const { field, statement } of optionStatements(question, part, limit)) {
        for (const row of await run(statement.render())) {
          const value = String(row.k);
          if (!byValue.has(value)) byValue.set(value, { value, label: value, field, total: toNumber(row.v) });
        }
      }
      const rows = [...byValue.values()];
      rows.sort((a, b) => b.total - a.total || (a.value < b.value ? -1 : 1));
      return rows.slice(0, limit);
    }, options);
  }

  /** All that is kept, per agent, or of one. */
  async perAgent(agent?: string, options?: ReadOptions): Promise<AgentTotals[]> {
    await this.#freshness.flushNow();
    const rows = await this.#grouped('agent', agent === undefined ? {} : { agent }, ALL_AGENTS, options);
    return rows.map(({ key, totals }) => ({ agent: key, ...totals }));
  }

  /** Networks and rules with most bytes, at most `MAX_GROUPS` of each: what they are called is for the agent to say. */
  async agentDetail(agent: string, options?: ReadOptions): Promise<AgentDetail> {
    await this.#freshness.flushNow();
    const networks = await this.#grouped('network', { agent }, MAX_GROUPS, options);
    const rules = await this.#grouped('rule', { agent }, MAX_GROUPS, options);
    return {
      networks: networks.map(({ key, totals }) => ({ network: key, ...withoutTotal(totals) })),
      rules: rules.map(({ key, totals }) => ({ rule: key, ...withoutTotal(totals) })),
    };
  }

  /**
   * The facts' side of the books: sums per agent and local day of `[from, to)` (epoch ms; days that have none are
   * left out). Overlay is in none of them.
   */
  async dailySums(
    question: { agent?: string | undefined; from: number; to: number; tz?: string },
    options?: ReadOptions,
  ): Promise<DailySum[]> {
    await this.#freshness.flushNow();
    return await this.#facts.read(async (run, admit) => {
      const kept = await this.#kept.read(run);
      const { tz = 'UTC', agent } = question;
      const view = this.#days({ ...question, tz }, kept);
      const { starts, filled } = view;
      if (starts.length === 0 || filled.to <= filled.from) return [];
      const filters = agent === undefined ? {} : { agent };
      await admit(factsIn(view.ranges, view.source.tier, kept));
      const rows = await run(
        dailyStatement({ ...view, range: filled, filters, filter: null }, starts).render(),
      );
      return rows.map((row) => ({
        agent: String(row.agent),
        day: Number(row.s) * MINUTE_MS,
        attributed: bytesOf(row),
        recovered: bytesOf({ u: row.ru, d: row.rd }),
        unattributed: bytesOf({ u: row.xu, d: row.xd }),
      }));
    }, options);
  }

  /**
   * What `dailySums` can tell of an interval, for whatever is set against it. `step`: minutes of the steps in which it
   * tells time apart, half hours where days begin elsewhere and their minutes are gone. `keptFrom`: from where on retention
   * has left everything, epoch ms; 0 while it has taken nothing.
   */
  async daysKept(question: { from: number; to: number; tz: string }): Promise<DaysKept> {
    return await this.#facts.read(async (run) => {
      const kept = await this.#kept.read(run);
      const view = this.#days(question, kept);
      return {
        step: view.aligned ? 1 : view.source.width,
        keptFrom: kept.wholeFrom.half_hour * MINUTE_MS,
      };
    });
  }

  /** Facts that are in no tier and lie in `[from, to)` (epoch ms), those of one lot at least in part. */
  async missing({ from, to }: { from: number; to: number }): Promise<MissingFacts[]> {
    return await this.#facts.read(async (run) => {
      const { wholeFrom } = await this.#kept.read(run);
      const missing = (await run(missingQuery(wholeFrom.half_hour))).map(missingOf);
      return missing.filter((one) => one.from * MINUTE_MS < to && one.to * MINUTE_MS > from);
    });
  }

  #days(question: { from: number; to: number; tz: string }, kept: Kept): View {
    const { tz } = question;
    const range = resolveRange(question, kept.extent, this.#now());
    return viewOf({ ranges: [range], starts: pointsOf('day', tz, range), tz, byHour: false }, kept);
  }

  async #partOf(run: RunQuery, question: StatsQuestion): Promise<{ part: Part; facts: number }> {
    const { filters = {}, filter = null, tz = 'UTC' } = question;
    const kept = await this.#kept.read(run);
    const range = resolveRange(question, kept.extent, this.#now());
    const view = viewOf({ ranges: [range], tz, byHour: mentions(filter, ['hour_of_week']) }, kept);
    const part = { ...view, range: view.ranges[0], filters, filter };
    return { part, facts: factsIn(view.ranges, view.source.tier, kept) };
  }

  async #grouped(
    key: 'agent' | 'network' | 'rule',
    filters: Filters,
    limit: number,
    options?: ReadOptions,
  ): Promise<{ key: string; totals: Totals }[]> {
    return await this.#facts.read(async (run, admit) => {
      const { part, facts } = await this.#partOf(run, { filters });
      await admit(facts);
      const sort = { by: 'total', order: 'desc', limit } as const;
      const rows = await run(groupStatement(groupSpec(key), part, sort).render());
      return groupsOf(rows).groups;
    }, options);
  }
}

function withoutTotal({ count, download, upload }: Totals): { count: number } & BytesSum {
  return { count, download, upload };
}
