import { MINUTE_MS } from '../../domain/bucket.ts';
import type { FactReader, ReadOptions, RunQuery } from '../store/store.ts';
import type { Answer, GroupRow, SeriesRow, StatsMeta, Totals } from './answers.ts';
import { agentsOf, type Filters, namesAgentsOnly } from './filter.ts';
import { type GapSource, gapStates } from './gap-state.ts';
import { groupSpec, labelOf } from './group-keys.ts';
import { type GroupQuestion, MAX_GROUPS, type SeriesQuestion, type StatsQuestion } from './questions.ts';
import { type Extent, type ResolvedRange, resolveRange } from './range.ts';
import { bytesOf, extentOf, groupsOf, remainder, totalsOf } from './read-rows.ts';
import { pointsOf } from './series-points.ts';
import { groupStatement, seriesStatement, summaryStatement, unattributedStatement } from './statements.ts';
import { isCut, toNumber } from './sums.ts';
import { formatIn } from './zone.ts';

/** Brings what waits into the fact store, and says how far it reaches (`LotFlusher`). */
export interface Freshness {
  flushNow(): Promise<void>;
  readonly state: { readonly freshTo: number };
}

export interface StatsDependencies {
  facts: FactReader;
  gaps: GapSource;
  freshness: Freshness;
  now?: () => number;
}

/** A question's view of the store: one state of it for all statements. */
interface View {
  run: RunQuery;
  extent: Extent | null;
  range: ResolvedRange;
}

/**
 * Answers the three shapes of `/stats` from the fact store. Sums are of counted connections only: overlay never
 * enters, and unattributed bytes stand apart in `meta`. All numbers of an answer are of one state of the store.
 */
export class StatsService {
  readonly #facts: FactReader;
  readonly #gaps: GapSource;
  readonly #freshness: Freshness;
  readonly #now: () => number;

  constructor({ facts, gaps, freshness, now = Date.now }: StatsDependencies) {
    this.#facts = facts;
    this.#gaps = gaps;
    this.#freshness = freshness;
    this.#now = now;
  }

  summary(question: StatsQuestion, options?: ReadOptions): Promise<Answer<Totals>> {
    return this.#answer(question, options, async ({ run, range }, filters) => {
      const rows = await run(summaryStatement(range, filters).render());
      return { data: totalsOf(rows[0] ?? {}) };
    });
  }

  group(question: GroupQuestion, options?: ReadOptions): Promise<Answer<GroupRow[]>> {
    const { groupBy, sortBy = 'total', sortOrder = 'desc' } = question;
    const limit = Math.min(question.limit ?? MAX_GROUPS, MAX_GROUPS);
    return this.#answer(question, options, async ({ run, range }, filters) => {
      const spec = groupSpec(groupBy);
      const sort = { by: sortBy, order: sortOrder, limit };
      const { groups, whole, members } = groupsOf(
        await run(groupStatement(spec, range, filters, sort).render()),
      );
      const data = groups.map(({ key, totals }): GroupRow => {
        return { [spec.rowKey]: key, label: labelOf(spec, key), ...totals };
      });
      const cut = members - groups.length;
      return { data, other: cut > 0 ? { groups: cut, ...remainder(whole, groups) } : null };
    });
  }

  timeseries(question: SeriesQuestion, options?: ReadOptions): Promise<Answer<SeriesRow[]>> {
    const { interval = 'day', metric = 'connections', tz = 'UTC' } = question;
    return this.#answer(question, options, async ({ run, range, extent }, filters) => {
      const starts = pointsOf(interval, tz, range);
      const kept = {
        from: Math.max(range.from, extent?.first ?? range.to),
        to: Math.min(range.to, (extent?.last ?? 0) + 1),
      };
      const clipped = starts.map((start) => Math.max(start, range.from));
      const values = new Map<number, number>();
      if (kept.to > kept.from && clipped.length > 0) {
        const rows = await run(seriesStatement(metric, kept, clipped, filters).render());
        for (const row of rows) values.set(Number(row.s), toNumber(row.v));
      }
      const gaps = await this.#gapStates(clipped, range, filters);
      return {
        data: starts.map((start, index): SeriesRow => {
          const value = values.get(clipped[index] ?? start) ?? 0;
          return { time: formatIn(tz, start), value, ...(gaps[index] ? { state: 'gap' as const } : {}) };
        }),
      };
    });
  }

  async #gapStates(starts: readonly number[], range: ResolvedRange, filters: Filters): Promise<boolean[]> {
    const { from, to } = range;
    const spans = await this.#gaps.commonGaps(from * MINUTE_MS, to * MINUTE_MS, agentsOf(filters));
    return gapStates(starts, to, spans, this.#now());
  }

  async #answer<T>(
    question: StatsQuestion,
    options: ReadOptions | undefined,
    ask: (view: View, filters: Filters) => Promise<{ data: T; other?: StatsMeta['other'] }>,
  ): Promise<Answer<T>> {
    const begun = performance.now();
    const filters = question.filters ?? {};
    await this.#freshness.flushNow();
    const freshTo = this.#freshness.state.freshTo;
    return await this.#facts.read(async (run) => {
      const extent = await extentOf(run);
      const range = resolveRange(question, extent, this.#now());
      const { data, other = null } = await ask({ run, extent, range }, filters);
      const rows = await run(unattributedStatement(range, filters).render());
      const unattributed = bytesOf(rows[0] ?? {});
      return {
        data,
        meta: {
          tier: 'minute',
          range: { from: range.from * MINUTE_MS, to: range.to * MINUTE_MS },
          aligned: range.aligned,
          fresh_to: freshTo,
          range_cut: null,
          unattributed: { applies: namesAgentsOnly(filters), ...unattributed },
          other,
          cut: isCut([data, other, unattributed]),
          elapsed_ms: Math.round(performance.now() - begun),
        },
      };
    }, options);
  }
}
