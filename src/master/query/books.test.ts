import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { lotOf } from '../store/facts.test-support.ts';
import type { Fact } from '../store/store.ts';
import { CatalogueService } from './catalogue-service.ts';
import { GROUP_KEYS, type GroupKey, groupSpec } from './group-keys.ts';
import { parseInterval, pointStarts } from './interval.ts';
import { METRICS, SORT_KEYS, SORT_ORDERS } from './metrics.ts';
import { NaiveModel, textOfFact } from './naive-model.test-support.ts';
import { BEGIN, inLots, type RandomFacts, randomFacts, SPAN } from './random-facts.test-support.ts';
import { StatsService } from './stats-service.ts';
import { formatIn } from './zone.ts';

/** Often where many facts are, so that bounds meet them exactly. */
const minute = fc
  .oneof(fc.integer({ min: -100, max: SPAN + 100 }), fc.integer({ min: 0, max: 4 }))
  .map((at) => BEGIN + at);
const bounds = fc.tuple(minute, minute).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const question = fc.record({
  bounds,
  /** Key of a filter, and which connection's value it asks for. */
  filter: fc.option(fc.tuple(fc.constantFrom(...GROUP_KEYS), fc.nat())),
  interval: fc.constantFrom('5m', 'hour', '6h', 'day', 'week', 'month'),
  zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/St_Johns'),
  metric: fc.constantFrom(...METRICS),
  limit: fc.integer({ min: 1, max: 4 }),
  sortBy: fc.constantFrom(...SORT_KEYS),
  sortOrder: fc.constantFrom(...SORT_ORDERS),
});

const NOW = (BEGIN + SPAN + 500) * 60_000;

async function withStore(
  random: RandomFacts,
  work: (stats: StatsService, catalogue: CatalogueService) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'stats-'));
  const facts = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 2 });
  try {
    await facts.start();
    for (const [index, lot] of inLots(random).entries()) await facts.append(lotOf(index + 1, lot), [lot]);
    const freshness = { flushNow: async () => undefined, state: { freshTo: 5 } };
    const gaps = { commonGaps: async () => [] };
    const dependencies = { facts, freshness, gaps, now: () => NOW };
    await work(new StatsService(dependencies), new CatalogueService(dependencies));
  } finally {
    await facts.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A filter that some connection passes, as the question's and as a test of facts. */
function filterOf(model: NaiveModel, filter: [GroupKey, number] | null) {
  const counted = model.facts.filter((one) => one.fields);
  const chosen = filter && counted[filter[1] % counted.length];
  if (!filter || !chosen) return { filters: {}, passes: () => true, agents: null };
  const [key] = filter;
  const value = textOfFact(key, chosen);
  const passes = (one: Fact) => {
    const text = textOfFact(key, one);
    if (key === 'rule') return text === value || (value !== '' && one.fields?.rule === value);
    if (key !== 'destination' || value === '') return text === value;
    return text.includes(value) || (one.fields?.host ?? '').includes(value);
  };
  const agents = key === 'agent' || key === 'agent_id' ? [value] : null;
  return { filters: { [key]: value }, passes, agents };
}

it('agrees with a naive model: summaries, groups, series, bounds and filters of all kinds', async () => {
  await fc.assert(
    fc.asyncProperty(
      randomFacts,
      fc.array(question, { minLength: 6, maxLength: 6 }),
      async (random, questions) => {
        const model = new NaiveModel();
        model.facts.push(...random.facts);
        await withStore(random, async (stats) => {
          for (const one of questions) {
            const { from, to } = one.bounds;
            const { filters, passes, agents } = filterOf(model, one.filter);
            const asked = { from: from * 60_000, to: to * 60_000, filters };
            const summary = await stats.summary(asked);
            expect(summary.data).toEqual(model.totals(from, to, passes));
            const applies = one.filter === null || agents !== null || Object.keys(filters).length === 0;
            expect(summary.meta.unattributed).toEqual({ applies, ...model.unattributed(from, to, agents) });

            const starts = pointStarts(parseInterval(one.interval) ?? { unit: 'month' }, one.zone, from, to);
            const series = await stats.timeseries({
              ...asked,
              interval: one.interval,
              metric: one.metric,
              tz: one.zone,
            });
            expect(series.data).toEqual(
              starts.map((start, index) => ({
                time: formatIn(one.zone, start),
                value: model.metric(
                  one.metric,
                  Math.max(start, from),
                  Math.min(starts[index + 1] ?? to, to),
                  passes,
                ),
              })),
            );

            for (const groupBy of GROUP_KEYS) {
              const expected = model.groups(groupBy, from, to, passes);
              const all = await stats.group({ ...asked, groupBy });
              const { rowKey } = groupSpec(groupBy);
              expect(
                new Map(all.data.map(({ [rowKey]: key, label: _, ...totals }) => [String(key), totals])),
              ).toEqual(expected);
              expect(all.meta.other).toBeNull();
            }
          }
        });
      },
    ),
    { numRuns: 10 },
  );
}, 120_000);

it('finds by the key of a group what is in the group, whatever it is grouped by', async () => {
  let empty = 0;
  await fc.assert(
    fc.asyncProperty(randomFacts, async (random) => {
      await withStore(random, async (stats) => {
        for (const groupBy of GROUP_KEYS) {
          const { rowKey } = groupSpec(groupBy);
          for (const { [rowKey]: key, label: _, ...totals } of (await stats.group({ groupBy })).data) {
            const filters = { [groupBy]: String(key) };
            if (key === '') empty++;
            // A part of the address or of the host is what the original means by it, so there may be more beside it.
            if (groupBy === 'destination' && key !== '') {
              const { data } = await stats.group({ groupBy, filters });
              expect(data).toContainEqual({ [rowKey]: key, label: _, ...totals });
            } else expect((await stats.summary({ filters })).data, `${groupBy}=${key}`).toEqual(totals);
          }
        }
      });
    }),
    { numRuns: 12 },
  );
  expect(empty).toBeGreaterThan(0);
}, 120_000);

it('cuts groups off at a limit and sums up the rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      randomFacts,
      fc.array(question, { minLength: 8, maxLength: 8 }),
      async (random, questions) => {
        const model = new NaiveModel();
        model.facts.push(...random.facts);
        await withStore(random, async (stats) => {
          for (const { limit, sortBy, sortOrder } of questions) {
            const { data, meta } = await stats.group({ groupBy: 'host', limit, sortBy, sortOrder });
            const sign = sortOrder === 'asc' ? 1 : -1;
            const ranked = [...model.groups('host', 0, NOW)].sort(
              ([a, x], [b, y]) => sign * (x[sortBy] - y[sortBy]) || (a < b ? -1 : 1),
            );
            const rows = ranked.map(([host, totals]) => ({ host, label: host || '(no host)', ...totals }));
            expect(data).toEqual(rows.slice(0, limit));
            const rest = rows.slice(limit);
            const sum = (key: 'count' | 'download' | 'upload' | 'total') =>
              rest.reduce((all, row) => all + row[key], 0);
            expect(meta.other).toEqual(
              rest.length === 0
                ? null
                : {
                    groups: rest.length,
                    count: sum('count'),
                    download: sum('download'),
                    upload: sum('upload'),
                    total: sum('total'),
                  },
            );
          }
        });
      },
    ),
    { numRuns: 6 },
  );
}, 60_000);

it('keeps the books by agent and day', async () => {
  await fc.assert(
    fc.asyncProperty(randomFacts, question, async (random, { zone }) => {
      const model = new NaiveModel();
      model.facts.push(...random.facts);
      await withStore(random, async (_, catalogue) => {
        const agents = [...new Set(model.facts.filter((one) => one.kind === 0).map((one) => one.agent))];
        const perAgent = await catalogue.perAgent();
        expect(new Map(perAgent.map(({ agent, ...totals }) => [agent, totals]))).toEqual(
          new Map(agents.map((agent) => [agent, model.totals(0, NOW, (one) => one.agent === agent)])),
        );
        const range = { from: (BEGIN - 10) * 60_000, to: (BEGIN + SPAN + 10) * 60_000 };
        const days = await catalogue.dailySums({ ...range, tz: zone });
        const starts = pointStarts({ unit: 'minutes', minutes: 1440 }, zone, BEGIN - 10, BEGIN + SPAN + 10);
        for (const [index, start] of starts.entries()) {
          const end = starts[index + 1] ?? BEGIN + SPAN + 10;
          const own = days.filter((day) => day.day === start * 60_000);
          const sum = (pick: (day: (typeof own)[number]) => number) =>
            own.reduce((all, day) => all + pick(day), 0);
          expect(sum((day) => day.attributed.download)).toBe(model.totals(start, end).download);
          expect(sum((day) => day.recovered.upload)).toBe(
            model.totals(start, end, (one) => one.recovered).upload,
          );
          expect(sum((day) => day.unattributed.download)).toBe(model.unattributed(start, end, null).download);
        }
      });
    }),
    { numRuns: 6 },
  );
}, 60_000);
