/** One row of the result: a bar to meet, or a figure that is only reported. */
export interface Result {
  what: string;
  /** The bar in words; empty for a figure without one. */
  bar: string;
  measured: string;
  /** Against the baseline of the same run; empty where there is none. */
  ratio: string;
  /** Null: no bar. */
  met: boolean | null;
  /** Where it stands in a plot; left out of all when there is none. */
  point?: Point;
}

/** A measured value in one of the plots of a scenario. */
export interface Point {
  plot: string;
  /** What is compared, one line each. */
  name: string;
  /** What it is compared by: a size, a program. */
  group: string;
  value: number;
  /** The limit that `value` must keep; none: no bar. */
  limit?: number;
}

/** A plot of a scenario's points, written beside the report. */
export interface Plot {
  readonly name: string;
  readonly title: string;
  /** Of the values, with their unit. */
  readonly axis: string;
}

export interface BenchOptions {
  /** Short runs: for a look while working, not for the record. */
  quick: boolean;
  /** The command that is measured. */
  program: string;
  /** An empty directory on a real disk, removed afterwards. */
  directory: string;
  /** Where generated data is kept between runs. */
  data: string;
  /** Sizes of the generated data, in connections. */
  connections: readonly number[];
  seed: number;
}

export interface Scenario {
  readonly name: string;
  /** What is run and how the figures come about, for the report. */
  readonly method: string;
  readonly plots?: readonly Plot[];
  run(options: BenchOptions): Promise<Result[]>;
}

/** A bar that a figure must not exceed. */
export function atMost(what: string, value: number, limit: number, unit: string, ratio = ''): Result {
  return {
    what,
    bar: `≤ ${number(limit)} ${unit}`.trimEnd(),
    measured: `${number(value)} ${unit}`.trimEnd(),
    ratio,
    met: value <= limit,
  };
}

/** A bar that a figure must reach. */
export function atLeast(what: string, value: number, limit: number, unit: string, ratio = ''): Result {
  return {
    what,
    bar: `≥ ${number(limit)} ${unit}`.trimEnd(),
    measured: `${number(value)} ${unit}`.trimEnd(),
    ratio,
    met: value >= limit,
  };
}

/** A figure for honesty's sake. */
export function figure(what: string, value: number, unit: string, ratio = ''): Result {
  return { what, bar: '', measured: `${number(value)} ${unit}`.trimEnd(), ratio, met: null };
}

function number(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
