import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HALF_HOUR, MINUTE_MS } from '../../domain/bucket.ts';
import { QUERY_DIMENSIONS } from '../../domain/dimensions.ts';
import { mentions, mentionsOnly } from '../../domain/filter/names.ts';
import { parseFilter } from '../../domain/filter/parser.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import type { AgentRow } from '../records/query.ts';
import { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { lotOf } from '../store/facts.test-support.ts';
import type { Fact } from '../store/store.ts';
import { previousRange } from './compared-range.ts';
import { parseInterval, pointStarts } from './interval.ts';
import { METRICS } from './metrics.ts';
import { NaiveTraffic, rankOf } from './naive-traffic.test-support.ts';
import { AGENTS, BEGIN, inLots, type RandomFacts, randomFacts, SPAN } from './random-facts.test-support.ts';
import type { MinuteRange } from './range.ts';
import { widenedStarts } from './tier.ts';
import type { TrafficAnswer, TrafficTotals } from './traffic-answer.ts';
import { TOP_MODES, type TrafficQuestion } from './traffic-question.ts';
import { TrafficService } from './traffic-service.ts';

const NOW = (BEGIN + SPAN + 500) * MINUTE_MS;
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Asia/Tehran',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'America/St_Johns',
] as const;

const FILTERS = [
  'host under example.com',
  'site = example.com or device under 192.168.1.0/24',
  'not node = hk-1',
  'route in (direct, reject) and network = tcp',
  'agent = home',
  'agent != office and hour_of_week >= 100',
  'hour_of_week in (96-119, 144-167) or recovered = true',
  'recovered = false and destination_port > 52',
  'rule is empty or payload ~ EXAMPLE',
  'curl',
  '(agent = home or host ~ b) and not country = CN',
].map((text): Filter => {
  const parsed = parseFilter(text, { of: 'facts' });
  if (!parsed.ok || parsed.filter === null) throw new Error(text);
  return parsed.filter;
});

/** Often where many facts are, and often on half hours or midnights of some zone. */
const minute = fc
  .oneof(
    fc.integer({ min: -100, max: SPAN + 100 }),
    fc.integer({ min: -4, max: SPAN / 30 + 4 }).map((half) => half * HALF_HOUR),
    fc.integer({ min: 0, max: 4 }).map((day) => day * 1440 + 1335),
    fc.integer({ min: 0, max: 4 }).map((day) => day * 1440 + 1095),
    fc.integer({ min: 0, max: 4 }),
  )
  .map((at) => BEGIN + at);
const bounds = fc
  .tuple(minute, minute)
  .map(([a, b]) => ({ from: Math.min(a, b) * MINUTE_MS, to: Math.max(a, b) * MINUTE_MS }));

const question: fc.Arbitrary<TrafficQuestion> = fc
  .record({
    bounds: fc.oneof({ weight: 5, arbitrary: bounds }, fc.constant({})),
    tz: fc.constantFrom(...ZONES),
    agents: fc.option(fc.subarray([...AGENTS], { minLength: 1 })),
    filter: fc.option(fc.constantFrom(...FILTERS)),
    overlay: fc.boolean(),
    groupBy: fc.shuffledSubarray([...QUERY_DIMENSIONS], { maxLength: 4 }),
    metrics: fc.shuffledSubarray([...METRICS], { minLength: 1 }),
    interval: fc.option(fc.constantFrom('auto', '5m', '15m', '30m', 'hour', '6h', 'day', 'week', 'month')),
    top: fc.integer({ min: 1, max: 5 }),
    topBy: fc.constantFrom(...METRICS),
    topMode: fc.constantFrom(...TOP_MODES),
    compare: fc.option(fc.oneof(fc.constant('previous' as const), bounds)),
  })
  .map(({ bounds: range, topBy, ...rest }) => {
    const countless =
      mentions(rest.filter, ['recovered', 'hour_of_week']) || rest.groupBy.includes('recovered');
    return { ...rest, ...range, topBy: topBy === 'connections' && countless ? 'total' : topBy };
  });

interface Stored {
  random: RandomFacts;
  /** Lots after which everything is rolled up. */
  rollups: number[];
  /** Facts above which tuples are pruned: all that this makes, or none. */
  crowdedFacts: number;
  /** Minutes of this and later stay, when everything is rolled up. */
  keptFrom: number | null;
}

const stored: fc.Arbitrary<Stored> = fc.record({
  random: randomFacts,
  rollups: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
  crowdedFacts: fc.constantFrom(0, 1_000_000),
  keptFrom: fc.option(fc.integer({ min: 0, max: SPAN / 30 }).map((half) => BEGIN + half * HALF_HOUR)),
});

async function withService(
  { random, rollups, keptFrom, crowdedFacts }: Stored,
  work: (service: TrafficService) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'traffic-'));
  const path = join(directory, 'f.duckdb');
  let facts = new EmbeddedFactStore({ path, threads: 2 });
  await facts.start();
  try {
    for (const [index, lot] of inLots(random).entries()) {
      await facts.append(lotOf(index + 1, lot), [lot]);
      if (rollups.includes(index)) await facts.rollUp(1_000_000);
    }
    if (keptFrom !== null) {
      await facts.rollUp(1_000_000);
      await facts.stop();
      await forgetMinutes(path, keptFrom);
      facts = new EmbeddedFactStore({ path, threads: 2 });
      await facts.start();
    }
    const agent = (agentId: string) => ({
      agentId,
      lastContact: NOW,
      lastSnapshot: NOW,
      bookedTo: NOW,
      protocol: 2,
    });
    const records = {
      agents: async () => AGENTS.map(agent) as unknown as AgentRow[],
      gaps: async () => [],
    };
    const freshness = { flushNow: async () => undefined, state: { freshTo: 5 } };
    await work(new TrafficService({ facts, records, freshness, now: () => NOW, crowdedFacts }));
  } finally {
    await facts.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What retention by age does, without waiting for it. */
async function forgetMinutes(path: string, before: number): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  for (const table of ['minute', 'minute_aside']) {
    await connection.run(`DELETE FROM ${table} WHERE bucket < $1::INTEGER`, [before]);
  }
  await connection.run("INSERT INTO meta VALUES ('minute_from', $1)", [String(before)]);
  await connection.run('CHECKPOINT');
  connection.closeSync();
  instance.closeSync();
}

function compareKeys(a: readonly (string | null)[], b: readonly (string | null)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? null;
    if (left === right) continue;
    if (left === null || right === null) return left === null ? 1 : -1;
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  return 0;
}

const textOf = (key: readonly (string | null)[]): string => JSON.stringify(key);

/** What an answer says to be of: what was asked, or moved by less than a half hour. */
function answeredRange(asked: MinuteRange, answered: MinuteRange, aligned: boolean): MinuteRange {
  const range = { from: answered.from / MINUTE_MS, to: answered.to / MINUTE_MS };
  if (aligned) expect(range).toEqual(asked);
  expect(Math.abs(range.from - asked.from)).toBeLessThan(HALF_HOUR);
  expect(Math.abs(range.to - asked.to)).toBeLessThan(HALF_HOUR);
  return range;
}

/** The whole answer, from the facts alone; what the tier may round is taken from `meta`. */
function expectRight(all: readonly Fact[], asked: TrafficQuestion, answer: TrafficAnswer): void {
  const { data, meta } = answer;
  const extent = all.map(({ bucket }) => bucket);
  const first = extent.length === 0 ? Math.ceil(NOW / MINUTE_MS) : Math.min(...extent);
  const range: MinuteRange = {
    from: asked.from === undefined ? first : asked.from / MINUTE_MS,
    to: asked.to === undefined ? Math.ceil(NOW / MINUTE_MS) : asked.to / MINUTE_MS,
  };
  // Where retention took minutes, the begin of all that is kept is known to the half hour.
  if (asked.from === undefined) {
    expect(Math.abs(meta.range.from / MINUTE_MS - range.from)).toBeLessThan(HALF_HOUR);
    range.from = meta.range.from / MINUTE_MS;
  }
  const compared =
    asked.compare === null
      ? null
      : asked.compare === 'previous'
        ? previousRange(range, asked.tz)
        : { from: asked.compare.from / MINUTE_MS, to: asked.compare.to / MINUTE_MS };
  // What the tier did not round must be what minutes say.
  const tier = meta.aligned ? 'minute' : meta.tier;
  const naive = new NaiveTraffic(all, asked, tier);
  const present = answeredRange(range, meta.range, meta.aligned);
  const before = compared && meta.previous && answeredRange(compared, meta.previous, meta.aligned);
  expect(meta.previous === null).toBe(compared === null);

  const byHour = asked.groupBy.includes('hour_of_week');
  const countless = mentions(asked.filter, ['recovered', 'hour_of_week']);
  const groupCountless = countless || asked.groupBy.includes('recovered');
  const now = naive.within(present);
  const then = before ? naive.within(before) : [];
  const sums = (facts: readonly Fact[], without = groupCountless) => naive.totals(facts, without, byHour);

  // Groups.
  const keys = new Map<string, string[]>();
  for (const one of [...now, ...then]) keys.set(textOf(naive.keyOf(one)), naive.keyOf(one));
  if (asked.groupBy.length === 0) keys.set('[]', []);
  const rank = (facts: readonly Fact[]) =>
    rankOf(
      new NaiveTraffic(all, { ...asked, metrics: [...METRICS] }, tier).totals(facts, false, byHour),
      asked.topBy,
    );
  let mapped: (one: Fact) => (string | null)[];
  let expected: (string | null)[][];
  if (asked.topMode === 'combination' || asked.groupBy.length < 2) {
    const ranked = [...keys.values()]
      .map((key) => ({ key, rank: rank(now.filter((one) => textOf(naive.keyOf(one)) === textOf(key))) }))
      .sort((a, b) => b.rank - a.rank || compareKeys(a.key, b.key));
    expected = ranked.slice(0, asked.top).map(({ key }) => key);
    const known = new Set(expected.map(textOf));
    mapped = (one) => (known.has(textOf(naive.keyOf(one))) ? naive.keyOf(one) : ['other']);
    const rest = ranked.length - expected.length;
    // Pruned tuples are not counted, but whether there are any is known.
    if (data.other?.groups === null) expect(rest).toBeGreaterThan(0);
    else expect(data.other?.groups ?? 0).toBe(rest);
  } else {
    const tops = asked.groupBy.map((_, index) => {
      const values = new Set([...now, ...then].map((one) => naive.keyOf(one)[index] ?? ''));
      const wide = ['site', 'host', 'destination_ip'].includes(asked.groupBy[index] ?? '');
      const present = new Set(now.map((one) => naive.keyOf(one)[index] ?? ''));
      return new Set(
        [...values]
          .filter((value) => !wide || present.has(value))
          .map((value) => ({ value, rank: rank(now.filter((one) => naive.keyOf(one)[index] === value)) }))
          .sort((a, b) => b.rank - a.rank || compareKeys([a.value], [b.value]))
          .slice(0, asked.top)
          .map(({ value }) => value),
      );
    });
    const fold = (one: Fact) => naive.keyOf(one).map((text, index) => (tops[index]?.has(text) ? text : null));
    mapped = (one) => (fold(one).every((text) => text === null) ? ['other'] : fold(one));
    const tuples = new Map([...now, ...then].map((one) => [textOf(mapped(one)), mapped(one)]));
    tuples.delete(textOf(['other']));
    expected = [...tuples.values()];
    expect(data.other === null || data.other.groups === null).toBe(true);
  }
  expect(data.groups.map(({ key }) => textOf(key)).sort()).toEqual(expected.map(textOf).sort());
  if (asked.topMode === 'combination') expect(data.groups.map(({ key }) => key)).toEqual(expected);
  const isIn = (key: readonly (string | null)[]) => (one: Fact) => textOf(mapped(one)) === textOf(key);
  for (const group of data.groups) {
    const member = asked.groupBy.length === 0 ? () => true : isIn(group.key);
    expect(group.totals).toEqual(sums(now.filter(member)));
    expect(group.previous).toEqual(before && sums(then.filter(member)));
  }
  const rest = isIn(['other']);
  if (data.other === null) {
    expect(asked.groupBy.length === 0 || [...now, ...then].filter(rest).length === 0).toBe(true);
  } else {
    expect(data.other.totals).toEqual(sums(now.filter(rest)));
    expect(data.other.previous).toEqual(before && sums(then.filter(rest)));
  }

  // Unattributed, and everything together.
  const applies = mentionsOnly(asked.filter, ['agent', 'hour_of_week']);
  const agents = new Set(answer.meta.freshness.map(({ agent_id }) => agent_id));
  const none = (span: MinuteRange) => naive.unattributed(span, (agent) => agents.has(agent), applies);
  expect(meta.unattributed).toEqual({ applies, ...none(present) });
  const plus = (totals: TrafficTotals, more: { download: number; upload: number }): TrafficTotals => ({
    ...totals,
    download: totals.download + more.download,
    upload: totals.upload + more.upload,
    total: totals.total + more.download + more.upload,
  });
  const zero = { download: 0, upload: 0 };
  expect(data.summary.totals).toEqual(plus(sums(now, countless), applies ? none(present) : zero));
  expect(data.summary.previous).toEqual(before && plus(sums(then, countless), applies ? none(before) : zero));
  expect(data.unattributed === null).toBe(!applies);

  // Series.
  if (asked.interval === null) {
    expect(data.buckets).toEqual([]);
    return;
  }
  const interval = parseInterval(meta.interval ?? '');
  if (interval === null) throw new Error(`no interval: ${meta.interval}`);
  const starts = widenedStarts(pointStarts(interval, asked.tz, range.from, range.to), tier, present);
  expect(data.buckets.map((time) => Date.parse(time) / MINUTE_MS)).toEqual(starts);
  const spans = starts.map((start, index) => ({
    from: Math.max(start, present.from),
    to: starts[index + 1] ?? present.to,
  }));
  const inSpan =
    ({ from, to }: MinuteRange) =>
    (one: Fact) =>
      naive.bucketOf(one) >= from && naive.bucketOf(one) < to;
  const seriesOf = (member: (one: Fact) => boolean) =>
    Object.fromEntries(
      asked.metrics.map((metric) => [
        metric,
        spans.map((span) => sums(now.filter((one) => member(one) && inSpan(span)(one)))[metric] ?? null),
      ]),
    );
  for (const group of data.groups) {
    const member = asked.groupBy.length === 0 ? () => true : isIn(group.key);
    expect(group.series).toEqual(seriesOf(member));
  }
  if (data.other !== null) expect(data.other.series).toEqual(seriesOf(rest));
  if (data.unattributed !== null) {
    for (const way of ['download', 'upload'] as const) {
      if (asked.metrics.includes(way)) {
        expect(data.unattributed.series?.[way]).toEqual(spans.map((span) => none(span)[way]));
      }
    }
  }
}

it('agrees with a naive model: any dimensions, filters, series, zones and comparisons, in both tiers', async () => {
  const tiers = { minute: 0, half_hour: 0, rounded: 0 };
  await fc.assert(
    fc.asyncProperty(
      stored,
      fc.array(question, { minLength: 20, maxLength: 20 }),
      async (given, questions) => {
        await withService(given, async (service) => {
          for (const asked of questions) {
            const answer = await service.answer(asked);
            tiers[answer.meta.tier]++;
            if (!answer.meta.aligned) tiers.rounded++;
            expectRight(given.random.facts, asked, answer);
          }
        });
      },
    ),
    { numRuns: 100 },
  );
  // Each kind of answer is among those that were compared.
  expect(Math.min(...Object.values(tiers))).toBeGreaterThan(20);
}, 900_000);
