import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { DIMENSIONS } from '../../src/domain/dimensions.ts';
import { siteOf } from '../../src/master/store/dictionary-values.ts';
import { DAY, type Recipe } from './generator.ts';
import type { World } from './world.ts';

/** A kind of question, with the bars that hold for it. */
export interface Shape {
  name: string;
  days: number;
  /** The body of `POST /query` without its interval. */
  body: Record<string, unknown>;
  /** p95 in milliseconds, by millions of connections; none: the figure alone. */
  bars: Readonly<Partial<Record<5 | 25, number>>>;
  /** Asks with a bound that no half hour has, which only minutes can answer. */
  byMinute?: true;
  /** In a load of mixed questions it must be answered soon, whatever else is asked. */
  light?: true;
}

/** The bars of the design, by what a question is. */
const SINGLE = { 5: 110, 25: 460 };
const WEEK = { 5: 80, 25: 260 };
const PER_GROUP = { 5: 200 };
const PAIR = { 5: 260 };
const SANKEY = { 5: 330 };

const ALL_DAYS = 90;
const BYTES = ['download', 'upload'];
const WITH_COUNT = [...BYTES, 'connections'];

const top = (...dimensions: string[]) => ({ group_by: dimensions, top: 10, metrics: WITH_COUNT });
/** The largest of each dimension, in place of the largest combinations. */
const grid = (...dimensions: string[]) => ({ ...top(...dimensions), top_mode: 'each' });
const sankey = (...dimensions: string[]) => ({ ...grid(...dimensions), metrics: BYTES });
const series = (interval: string) => ({ interval, metrics: BYTES });

/** Shapes that are measured for each dimension alone are made from the dimension table. */
export function shapesOf(world: World): Shape[] {
  const [, busiest] = world.hosts;
  const rule = `agent = "${world.agents[0]!.name}" and rule = "${world.rules[0]!.type}"`;
  const site = `site = "${siteOf(busiest!.name)}"`;
  return [
    { name: 'summary', days: ALL_DAYS, body: { metrics: WITH_COUNT }, bars: SINGLE },
    { name: 'host top 10, 24 h', days: 1, body: top('host'), bars: WEEK, light: true },
    { name: 'host top 10, 7 d', days: 7, body: top('host'), bars: WEEK, light: true },
    ...DIMENSIONS.map(({ name }) => ({
      name: `${name} top 10`,
      days: ALL_DAYS,
      body: top(name),
      bars: SINGLE,
    })),
    { name: 'rule × payload top 10', days: ALL_DAYS, body: top('rule', 'payload'), bars: SINGLE },
    { name: 'hourly series, 7 d', days: 7, body: series('1h'), bars: WEEK, light: true },
    { name: 'hourly series', days: ALL_DAYS, body: series('1h'), bars: SINGLE },
    { name: 'daily series', days: ALL_DAYS, body: series('1d'), bars: SINGLE },
    {
      name: 'connections a day',
      days: ALL_DAYS,
      body: { interval: '1d', metrics: ['connections'] },
      bars: SINGLE,
    },
    {
      name: 'top 10 nodes × hour, 7 d',
      days: 7,
      body: { ...top('node'), ...series('1h'), series: true },
      bars: WEEK,
    },
    {
      name: 'top 10 nodes × day',
      days: ALL_DAYS,
      body: { ...top('node'), ...series('1d'), series: true },
      bars: PER_GROUP,
    },
    {
      name: 'top 10 hosts × day',
      days: ALL_DAYS,
      body: { ...top('host'), ...series('1d'), series: true },
      bars: PER_GROUP,
    },
    { name: 'device × host top 10, 7 d', days: 7, body: top('device', 'host'), bars: WEEK, light: true },
    { name: 'device × host top 10', days: ALL_DAYS, body: top('device', 'host'), bars: PAIR },
    { name: 'top 10 devices × top 10 hosts', days: ALL_DAYS, body: grid('device', 'host'), bars: PAIR },
    { name: 'node × rule top 10', days: ALL_DAYS, body: top('node', 'rule'), bars: PAIR },
    { name: 'top 10 nodes × top 10 rules', days: ALL_DAYS, body: grid('node', 'rule'), bars: PAIR },
    {
      name: 'sankey device → rule → node, 7 d',
      days: 7,
      body: sankey('device', 'rule', 'node'),
      bars: WEEK,
    },
    {
      name: 'sankey device → rule → chain',
      days: ALL_DAYS,
      body: sankey('device', 'rule', 'chain'),
      bars: SANKEY,
    },
    {
      name: 'agent and rule: host top 10',
      days: ALL_DAYS,
      body: { ...top('host'), filter: rule },
      bars: SINGLE,
    },
    {
      name: 'agent and rule: hourly series',
      days: ALL_DAYS,
      body: { ...series('1h'), filter: rule },
      bars: SINGLE,
    },
    {
      name: 'host contains: host top 10',
      days: ALL_DAYS,
      body: { ...top('host'), filter: 'host ~ "video"' },
      bars: SINGLE,
    },
    { name: 'site =: host top 10', days: ALL_DAYS, body: { ...top('host'), filter: site }, bars: SINGLE },
    {
      name: '7 d against the 7 d before, host',
      days: 7,
      body: { ...top('host'), compare: 'previous' },
      bars: WEEK,
    },
    {
      name: '45 d against the 45 d before, host',
      days: ALL_DAYS / 2,
      body: { ...top('host'), compare: 'previous' },
      bars: PER_GROUP,
    },
    { name: 'minutes: host top 10, 24 h', days: 1, body: top('host'), bars: {}, byMinute: true },
    { name: 'minutes: host top 10, 7 d', days: 7, body: top('host'), bars: {}, byMinute: true },
  ];
}

/** Parts of a measurement that ask alike: none gets the kept answer of another. */
export const ROUNDS = { shapes: 0, baseline: 1, load: 2, loadWithPauses: 3 } as const;
export type Round = keyof typeof ROUNDS;

const HALF_HOUR = 30;

/**
 * The question of one run, in which no run equals another: an interval that was never asked for is in no cache. Each
 * run ends half an hour earlier; one over all the data begins where the data does, the others as much earlier. In
 * each round all begin half an hour later.
 */
export function questionOf(
  shape: Pick<Shape, 'days' | 'body' | 'byMinute'>,
  recipe: Recipe,
  run: number,
  round: Round = 'shapes',
): Record<string, unknown> {
  const end = recipe.firstMinute + recipe.days * DAY - run * HALF_HOUR;
  const begin = Math.max(recipe.firstMinute, end - shape.days * DAY) + ROUNDS[round] * HALF_HOUR;
  const off = shape.byMinute ? 1 : 0;
  return {
    ...shape.body,
    from: new Date((begin - off) * MINUTE_MS).toISOString(),
    to: new Date((end - off) * MINUTE_MS).toISOString(),
  };
}
