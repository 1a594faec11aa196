import { HALF_HOUR } from '../../domain/bucket.ts';
import { emptyFields } from '../../domain/connection.ts';
import type { QueryDimension } from '../../domain/dimensions.ts';
import type { Fact, TierName } from '../store/store.ts';
import type { Metric } from './metrics.ts';
import { matches, textOfDimension } from './naive-filter.test-support.ts';
import type { MinuteRange } from './range.ts';
import type { TrafficTotals } from './traffic-answer.ts';
import type { TrafficQuestion } from './traffic-question.ts';
import { offsetAt } from './zone.ts';

/** Sums of facts that one group, point or everything has. */
export interface NaiveSums {
  totals: TrafficTotals;
  facts: readonly Fact[];
}

/**
 * `POST /query` answered by walking over a list of facts: connections are told apart by their numbers and nothing is
 * summed ahead. In the coarse tier a fact lies at the begin of its half hour, which is all that the tier may change.
 */
export class NaiveTraffic {
  readonly #facts: readonly Fact[];
  readonly #firsts = new Map<number, Fact>();
  readonly #question: TrafficQuestion;
  readonly #tier: TierName;

  constructor(facts: readonly Fact[], question: TrafficQuestion, tier: TierName) {
    this.#facts = facts;
    this.#question = question;
    this.#tier = tier;
    for (const one of facts) {
      if (one.kind !== 2 && !this.#firsts.has(one.conn)) this.#firsts.set(one.conn, one);
    }
  }

  bucketOf({ bucket }: Fact): number {
    return this.#tier === 'minute' ? bucket : Math.floor(bucket / HALF_HOUR) * HALF_HOUR;
  }

  /** Local hours since a Monday at 00:00, and where the hour of a fact began, on the clock of the wall. */
  #hour(one: Fact): { ofWeek: number; start: number } {
    const bucket = this.bucketOf(one);
    const local = bucket + offsetAt(this.#question.tz, bucket);
    const date = new Date(local * 60_000);
    const day = (date.getUTCDay() + 6) % 7;
    return { ofWeek: day * 24 + date.getUTCHours(), start: bucket - date.getUTCMinutes() };
  }

  /** The facts of an interval that the question is about. */
  within({ from, to }: MinuteRange): Fact[] {
    const { filter, agents, overlay } = this.#question;
    return this.#facts.filter((one) => {
      const bucket = this.bucketOf(one);
      if (bucket < from || bucket >= to) return false;
      if (one.kind === 2 || (one.kind === 1 && !overlay)) return false;
      if (agents !== null && !agents.includes(one.agent)) return false;
      return filter === null || matches(filter, one, this.#hour(one).ofWeek);
    });
  }

  keyOf(one: Fact, groupBy: readonly QueryDimension[] = this.#question.groupBy): string[] {
    const { ofWeek } = this.#hour(one);
    return groupBy.map((name) => textOfDimension(one, name, ofWeek));
  }

  totals(facts: readonly Fact[], countless: boolean, byHour: boolean): TrafficTotals {
    const { metrics } = this.#question;
    const sum = (value: (one: Fact) => number) => facts.reduce((total, one) => total + value(one), 0);
    const [download, upload] = [sum((one) => one.download), sum((one) => one.upload)];
    const active = new Set(facts.map((one) => `${one.conn} ${byHour ? this.#hour(one).start : ''}`));
    const opened = new Set(facts.filter((one) => this.#firsts.get(one.conn) === one).map(({ conn }) => conn));
    return {
      download,
      upload,
      total: download + upload,
      ...(metrics.includes('connections') && { connections: countless ? null : active.size }),
      ...(metrics.includes('opened') && { opened: opened.size }),
      ...(metrics.includes('recovered') && {
        recovered: sum((one) => (one.recovered ? one.download + one.upload : 0)),
      }),
    };
  }

  /** Bytes of no connection, of the agents asked for. */
  unattributed(
    { from, to }: MinuteRange,
    agents: (agent: string) => boolean,
    applies: boolean,
  ): { download: number; upload: number } {
    const { filter } = this.#question;
    const passes = (one: Fact) =>
      !applies ||
      filter === null ||
      matches(filter, { ...one, fields: emptyFields('') }, this.#hour(one).ofWeek);
    const facts = this.#facts.filter((one) => {
      const bucket = this.bucketOf(one);
      return one.kind === 2 && bucket >= from && bucket < to && agents(one.agent) && passes(one);
    });
    return {
      download: facts.reduce((sum, one) => sum + one.download, 0),
      upload: facts.reduce((sum, one) => sum + one.upload, 0),
    };
  }
}

/** The value that groups are ranked by. */
export function rankOf(totals: TrafficTotals, metric: Metric): number {
  return totals[metric] ?? 0;
}
