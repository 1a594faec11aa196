import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { atLeast, figure, type Result } from '../scenario.ts';
import { median } from '../statistics.ts';
import { type Asker, dataOf } from './asker.ts';
import type { Dataset } from './dataset.ts';
import { DAY } from './generator.ts';
import { ORIGINAL_QUESTIONS, type OriginalQuestion, sumOfOriginal, timeOriginal } from './original.ts';
import { questionOf } from './shapes.ts';

/** How many times as fast as the original's schema as it ships, over all the data; for five million and more. */
const BARS = { summary: 25, 'top hosts': 50, 'daily series': 50 } as const satisfies Record<
  OriginalQuestion,
  number
>;
const SMALLEST_FOR_BARS = 5_000_000;

const BYTES = ['download', 'upload'];
const OURS = {
  summary: { metrics: [...BYTES, 'connections'] },
  'top hosts': { group_by: ['host'], top: 10, metrics: [...BYTES, 'connections'] },
  'daily series': { interval: '1d', metrics: ['total'] },
} as const satisfies Record<OriginalQuestion, object>;

/** Seconds each, so few runs; ours are as many as of every shape. */
const ORIGINAL_RUNS = 3;

/** The same three questions over the same data, in the same run. */
export async function measureBaseline(
  at: string,
  asker: Asker,
  dataset: Dataset,
  runs: number,
): Promise<Result[]> {
  await refuseOtherData(asker, dataset);
  const { recipe } = dataset;
  const from = recipe.firstMinute * MINUTE_MS;
  const end = (recipe.firstMinute + recipe.days * DAY) * MINUTE_MS;
  const rows: Result[] = [];
  for (const question of Object.keys(ORIGINAL_QUESTIONS) as OriginalQuestion[]) {
    const times: number[] = [];
    for (let run = 0; run < runs; run++) {
      const body = questionOf({ days: recipe.days, body: OURS[question] }, recipe, run, 'baseline');
      const answer = await asker.post('/api/v1/query', body);
      dataOf(answer);
      times.push(answer.ms);
    }
    const ours = median(times);
    const ships = median(timeOriginal(dataset.path('original'), question, { from, to: end }, ORIGINAL_RUNS));
    const indexed = median(
      timeOriginal(dataset.path('originalIndexed'), question, { from, to: end }, ORIGINAL_RUNS),
    );
    const what = `${at}: ${question} over ${recipe.days} d`;
    const slower = (other: number) => `${(other / ours).toFixed(1)} ×`;
    const ratio = `${what}, times as fast as the original's schema as it ships`;
    rows.push(
      recipe.connections >= SMALLEST_FOR_BARS
        ? atLeast(ratio, ships / ours, BARS[question], '×')
        : figure(ratio, ships / ours, '×'),
      ...[
        { group: 'here', value: ours, times: '1' },
        { group: 'original as it ships', value: ships, times: slower(ships) },
        { group: 'original with helpful indexes', value: indexed, times: slower(indexed) },
      ].map(({ group, value, times }) => ({
        ...figure(`${what}, ${group}`, value, 'ms', times),
        point: { plot: 'original', name: `${at}: ${question}`, group, value },
      })),
    );
  }
  return rows;
}

/** Both sides hold the same bytes, to the byte, or nothing that follows is a comparison. */
async function refuseOtherData(asker: Asker, dataset: Dataset): Promise<void> {
  const from = new Date(dataset.recipe.firstMinute * MINUTE_MS).toISOString();
  const to = new Date((dataset.recipe.firstMinute + dataset.recipe.days * DAY) * MINUTE_MS).toISOString();
  const body = { from, to, overlay: true, group_by: ['agent'], top: 1000, metrics: BYTES };
  const { groups } = dataOf<{ groups: { totals: { download: number; upload: number } }[] }>(
    await asker.post('/api/v1/query', body),
  );
  const ours = { download: 0, upload: 0 };
  for (const { totals } of groups) {
    ours.download += totals.download;
    ours.upload += totals.upload;
  }
  const theirs = sumOfOriginal(dataset.path('original'));
  if (ours.download !== theirs.download || ours.upload !== theirs.upload) {
    throw new Error(`not the same data: ${JSON.stringify(ours)} here, ${JSON.stringify(theirs)} there`);
  }
}
