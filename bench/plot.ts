import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Plot, Point } from './scenario.ts';

const WIDTH = 560;
const LINE_HEIGHT = 15;

/**
 * A line for each name, with a dot for each group and a tick where the limit is. Logarithmic, because what is compared
 * differs by powers of ten; so there are dots and no bars, which would have to begin somewhere.
 */
export function specOf(plot: Plot, points: readonly Point[]): TopLevelSpec {
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    axis: { title: null, grid: true, labelLimit: 400 },
  } as const;
  const color = {
    field: 'group',
    type: 'nominal',
    sort: null,
    legend: { title: null, orient: 'top' },
  } as const;
  const x = (field: 'value' | 'limit') =>
    ({ field, type: 'quantitative', scale: { type: 'log' }, axis: { title: plot.axis } }) as const;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: plot.title,
    background: 'white',
    width: WIDTH,
    height: { step: LINE_HEIGHT },
    data: { values: points.map((point) => ({ ...point })) },
    // Values first: the order of the lines is theirs.
    layer: [
      { mark: { type: 'circle', size: 60, opacity: 1 }, encoding: { y, x: x('value'), color } },
      {
        transform: [{ filter: 'isValid(datum.limit)' }],
        mark: { type: 'tick', thickness: 2, size: LINE_HEIGHT - 3 },
        encoding: { y, x: x('limit'), color },
      },
    ],
  };
}

/** The plot as SVG; drawn without a browser. */
export function renderPlot(plot: Plot, points: readonly Point[]): Promise<string> {
  return new View(parse(compile(specOf(plot, points)).spec), { renderer: 'none' }).toSVG();
}
