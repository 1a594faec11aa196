import { MINUTE_MS } from '../../domain/bucket.ts';
import { mentions } from '../../domain/filter/names.ts';
import type { FactReader, ReadOptions, RunQuery } from '../store/store.ts';
import type { Answer, FilteredTotals, GroupRow, SeriesRow, StatsMeta, Totals } from './answers.ts';
import { isCountless } from './countless.ts';
import { agentsOf, type Filters, type Part, unattributedApplies } from './filter.ts';
import { type GapSource, gapStates } from './gap-state.ts';
import { groupSpec, labelOf } from './group-keys.ts';
import { KeptReader } from './kept.ts';
import { type GroupQuestion, MAX_GROUPS, type SeriesQuestion, type StatsQuestion } from './questions.ts';
import { type MinuteRange, resolveRange } from './range.ts';
import { bytesOf, groupsOf, remainder, totalsOf } from './read-rows.ts';
import { pointsOf } from './series-points.ts';
import { groupStatement, seriesStatement, summaryStatement, unattributedStatement } from './statements.ts';
import { isCut, toNumber } from './sums.ts';
import { factsIn } from './tier.ts';
import { type View, viewOf } from './view.ts';
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

/** A question's part of one state of the store, which all of its statements see. */
interface Asked {
  readonly run: RunQuery;
  readonly view: View;
  readonly part: Part;
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
  readonly #kept = new KeptReader();

  constructor({ facts, gaps, freshness, now = Date.now }: StatsDependencies) {
    this.#facts = facts;
    this.#gaps = gaps;
    this.#freshness = freshness;
    this.#now = now;
  }

  summary(question: StatsQuestion, options?: ReadOptions): Promise<Answer<FilteredTotals>> {
    return this.#answer(question, options, async ({ run, part }) => {
      const rows = await run(summaryStatement(part).render());
      return { data: filteredTotals(totalsOf(rows[0] ?? {}), part) };
    });
  }

  group(question: GroupQuestion, options?: ReadOptions): Promise<Answer<GroupRow[]>> {
    const { groupBy, sortBy = 'total', sortOrder = 'desc' } = question;
    const limit = Math.min(question.limit ?? MAX_GROUPS, MAX_GROUPS);
    return this.#answer(question, options, async ({ run, part }) => {
      const spec = groupSpec(groupBy);
      const sort = { by: sortBy, order: sortOrder, limit };
      const { groups, whole, members } = groupsOf(await run(groupStatement(spec, part, sort).render()));
      const data = groups.map(({ key, totals }): GroupRow => {
        return { [spec.rowKey]: key, label: labelOf(spec, key), ...filteredTotals(totals, part) };
      });
      const cut = members - groups.length;
      const rest = filteredTotals(remainder(whole, groups), part);
      return { data, other: cut > 0 ? { groups: cut, ...rest } : null };
    });
  }

  timeseries(question: SeriesQuestion, options?: ReadOptions): Promise<Answer<SeriesRow[]>> {
    const { interval = 'day', metric = 'connections', tz = 'UTC' } = question;
    const points = (range: MinuteRange) => pointsOf(interval, tz, range);
    return this.#answer(
      question,
      options,
      async ({ run, view, part }) => {
        const { starts, filled, ranges } = view;
        const clipped = starts.map((start) => Math.max(start, ranges[0].from));
        const values = new Map<number, number>();
        const isKnown = metric !== 'connections' || !isCountless(part.filter);
        if (isKnown && filled.to > filled.from && clipped.length > 0) {
          const rows = await run(seriesStatement(metric, { ...part, range: filled }, clipped).render());
          for (const row of rows) values.set(Number(row.s), toNumber(row.v));
        }
        const gaps = await this.#gapStates(clipped, ranges[0], part.filters);
        return {
          data: starts.map((start, index): SeriesRow => {
            const value = isKnown ? (values.get(clipped[index] ?? start) ?? 0) : null;
            return { time: formatIn(tz, start), value, ...(gaps[index] ? { state: 'gap' as const } : {}) };
          }),
        };
      },
      points,
    );
  }

  async #gapStates(starts: readonly number[], range: MinuteRange, filters: Filters): Promise<boolean[]> {
    const { from, to } = range;
    const spans = await this.#gaps.commonGaps(from * MINUTE_MS, to * MINUTE_MS, agentsOf(filters));
    return gapStates(starts, to, spans, this.#now());
  }

  async #answer<T>(
    question: StatsQuestion,
    options: ReadOptions | undefined,
    ask: (asked: Asked) => Promise<{ data: T; other?: StatsMeta['other'] }>,
    points: (range: MinuteRange) => readonly number[] = () => [],
  ): Promise<Answer<T>> {
    const begun = performance.now();
    const { filters = {}, filter = null, tz = 'UTC' } = question;
    await this.#freshness.flushNow();
    const freshTo = this.#freshness.state.freshTo;
    return await this.#facts.read(async (run, admit) => {
      const kept = await this.#kept.read(run);
      const range = resolveRange(question, kept.extent, this.#now());
      const byHour = mentions(filter, ['hour_of_week']);
      const view = viewOf({ ranges: [range], starts: points(range), tz, byHour }, kept);
      const part: Part = { ...view, range: view.ranges[0], filters, filter };
      await admit(factsIn(view.ranges, view.source.tier, kept));
      const { data, other = null } = await ask({ run, view, part });
      const rows = await run(unattributedStatement(part).render());
      const unattributed = bytesOf(rows[0] ?? {});
      const [answered] = view.answered;
      return {
        data,
        meta: {
          tier: view.source.tier,
          range: { from: answered.from * MINUTE_MS, to: answered.to * MINUTE_MS },
          aligned: view.aligned && range.aligned,
          fresh_to: freshTo,
          range_cut: view.cutFrom === null ? null : { from: view.cutFrom * MINUTE_MS },
          unattributed: { applies: unattributedApplies(part), ...unattributed },
          other,
          cut: isCut([data, other, unattributed]),
          elapsed_ms: Math.round(performance.now() - begun),
        },
      };
    }, options);
  }
}

function filteredTotals(totals: Totals, { filter }: Part): FilteredTotals {
  return isCountless(filter) ? { ...totals, count: null } : totals;
}
