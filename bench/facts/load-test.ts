import { MINUTE_MS, minuteOf } from '../../src/domain/bucket.ts';
import type { RunningMaster } from '../master/running-master.ts';
import { Helper } from '../processes.ts';
import { atMost, type BenchOptions, figure, type Result } from '../scenario.ts';
import { percentile } from '../statistics.ts';
import type { Crowd, CrowdQuestion, CrowdResult } from './crowd.ts';
import type { Dataset } from './dataset.ts';
import { DAY } from './generator.ts';
import { questionOf, ROUNDS, type Round, type Shape, shapesOf } from './shapes.ts';
import type { Steady, SteadyResult } from './steady.ts';

const PEOPLE = 8;
const SAMPLES_PER_SECOND = 3000;
/** How often the agents of the load deliver: more often than by default, as agents do whose user watches. */
const INTERVAL_MS = 10_000;
const AGENTS = 20;
/** No question is asked twice, so that each is answered from the facts. */
const QUESTIONS_PER_SHAPE = 200;

/** All shapes and, once for each of those, three questions that a dashboard asks beside them; in turn. */
function mixture(dataset: Dataset, round: Round): CrowdQuestion[] {
  const { recipe, world } = dataset;
  const end = recipe.firstMinute + recipe.days * DAY;
  const shapes = shapesOf(world);
  const light = shapes.filter((shape) => shape.light);
  const heavy = shapes.filter((shape) => !shape.light);
  const query = (shape: Shape, run: number): CrowdQuestion => ({
    light: shape.light === true,
    path: '/api/v1/query',
    body: questionOf(shape, recipe, run, round),
  });
  const days = (count: number, run: number) => {
    const [from, to] = [end - run - count * DAY + ROUNDS[round] * 30, end - run].map((minute) =>
      new Date(minute * MINUTE_MS).toISOString(),
    );
    return `from=${from}&to=${to}`;
  };
  const suggest = 'filter_type=host&query=cdn&limit=20';
  const questions: CrowdQuestion[] = [];
  for (let i = 0; i < QUESTIONS_PER_SHAPE * heavy.length; i++) {
    const run = i % 1000;
    questions.push(
      query(heavy[i % heavy.length]!, Math.floor(i / heavy.length)),
      query(light[i % light.length]!, run),
      { light: true, path: `/api/v1/stats?type=summary&${days(1, run * 30)}`, body: null },
      { light: true, path: `/api/v1/filter-options?${suggest}&${days(7, run * 30)}`, body: null },
    );
    if (dataset.hasRecords) {
      questions.push({ light: true, path: '/api/v1/connections?limit=50&sort_by=start', body: null });
    }
  }
  return questions;
}

/** Questions and samples at once. The bars are for people who ask without a pause; those who read are told beside. */
export async function measureLoad(
  master: RunningMaster,
  dataset: Dataset,
  options: BenchOptions,
): Promise<Result[]> {
  const seconds = options.quick ? 20 : 60;
  const rows: Result[] = [];
  for (const { name, pauseMs, round } of [
    { name: 'asking without a pause', pauseMs: 0, round: 'load' },
    { name: 'reading a second between two questions', pauseMs: 1000, round: 'loadWithPauses' },
  ] as const) {
    const load: Steady = {
      agents: AGENTS,
      samplesPerSecond: SAMPLES_PER_SECOND,
      intervalMs: INTERVAL_MS,
      seconds,
      minute: minuteOf(Date.now()) - Math.ceil((seconds * 1000) / INTERVAL_MS),
    };
    const steady = new Helper(new URL('steady.ts', import.meta.url), [JSON.stringify(load)]);
    const crowd = new Helper(new URL('crowd.ts', import.meta.url), []);
    await Promise.all([steady.next(), crowd.next()]);
    const question: Crowd = {
      port: master.port,
      people: PEOPLE,
      seconds,
      pauseMs,
      seed: options.seed,
      questions: mixture(dataset, round),
    };
    await master.delay();
    const [asked, delivered] = await Promise.all([
      crowd.ask<CrowdResult>(question),
      steady.ask<SteadyResult>({ port: master.port }),
    ]);
    const delay = await master.delay();
    await Promise.all([steady.stop(), crowd.stop()]);
    const failures = [...asked.failures, ...delivered.failures];
    for (const failure of new Set(failures.slice(0, 10))) console.log(`failed: ${failure}`);
    const bar = (what: string, value: number, limit: number, unit: string) =>
      pauseMs === 0 ? atMost(`${at}: ${what}`, value, limit, unit) : figure(`${at}: ${what}`, value, unit);
    const at = `Load, ${PEOPLE} people ${name}`;
    rows.push(
      figure(`${at}: samples taken`, delivered.samples / delivered.seconds, 'a second'),
      figure(`${at}: questions answered`, (asked.light.length + asked.heavy.length) / seconds, 'a second'),
      bar('slowest sync answer', delivered.worst, 500, 'ms'),
      bar('main thread late, p99', delay.p99, 20, 'ms'),
      figure(`${at}: main thread late, most`, delay.max, 'ms'),
      bar('light questions, p95', percentile(asked.light, 0.95), 200, 'ms'),
      figure(`${at}: heavy questions, p95`, percentile(asked.heavy, 0.95), 'ms'),
      bar('errors other than 429', failures.length, 0, ''),
      figure(`${at}: refused with 429`, asked.refused, ''),
    );
  }
  return rows;
}
