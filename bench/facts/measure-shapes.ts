import { cpuMs } from '../processes.ts';
import type { Result } from '../scenario.ts';
import { median, percentile } from '../statistics.ts';
import { Asker, dataOf } from './asker.ts';
import type { Dataset } from './dataset.ts';
import { questionOf, type Shape } from './shapes.ts';

/** Not counted: the first questions of a kind find nothing in memory. */
const WARM_UP = 2;
/** A bar that is missed by no more than this is measured again so often, and the median counts. */
const NEAR = 1.2;
const AGAIN = 3;

export interface Timing {
  p50: number;
  p95: number;
  /** CPU that the master spends on one question, in all its threads: what other programs on the machine do not change. */
  cpu: number;
}

/** Runs of questions that were never asked before, one after the other. */
export class ShapeTimer {
  readonly #asker: Asker;
  readonly #dataset: Dataset;
  readonly #runs: number;
  readonly #pid: number;
  readonly #asked = new Map<Shape, number>();

  constructor(master: { port: number; pid: number }, dataset: Dataset, runs: number) {
    this.#asker = new Asker(master.port);
    this.#pid = master.pid;
    this.#dataset = dataset;
    this.#runs = runs;
  }

  close(): void {
    this.#asker.close();
  }

  async #round(shape: Shape): Promise<Timing> {
    const times: number[] = [];
    let begun = 0;
    for (let run = 0; run < this.#runs + WARM_UP; run++) {
      if (run === WARM_UP) begun = cpuMs(this.#pid);
      const number = this.#asked.get(shape) ?? 0;
      this.#asked.set(shape, number + 1);
      const answer = await this.#asker.post('/api/v1/query', questionOf(shape, this.#dataset.recipe, number));
      dataOf(answer);
      if (run >= WARM_UP) times.push(answer.ms);
    }
    const cpu = (cpuMs(this.#pid) - begun) / this.#runs;
    return { p50: median(times), p95: percentile(times, 0.95), cpu };
  }

  time(shape: Shape, bar: number | undefined): Promise<Timing> {
    return settle(() => this.#round(shape), bar);
  }
}

/** A near miss may be the machine's doing, a far one is not: what three more rounds say in the middle counts. */
export async function settle(round: () => Promise<Timing>, bar: number | undefined): Promise<Timing> {
  const first = await round();
  if (bar === undefined || first.p95 <= bar || first.p95 > bar * NEAR) return first;
  const rounds: Timing[] = [];
  for (let i = 0; i < AGAIN; i++) rounds.push(await round());
  const middle = (name: keyof Timing) => median(rounds.map((timing) => timing[name]));
  return { p50: middle('p50'), p95: middle('p95'), cpu: middle('cpu') };
}

/** The row of a shape; its bar holds for the size that it was set for. */
export function shapeResult(at: string, shape: Shape, timing: Timing, bar: number | undefined): Result {
  const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0);
  return {
    what: `${at}: ${shape.name}`,
    bar: bar === undefined ? '' : `p95 ≤ ${bar} ms`,
    measured: `p95 ${ms(timing.p95)} ms, p50 ${ms(timing.p50)}, CPU ${ms(timing.cpu)}`,
    ratio: '',
    met: bar === undefined ? null : timing.p95 <= bar,
    point: {
      plot: 'latency',
      name: shape.name,
      group: at,
      value: timing.p95,
      ...(bar === undefined ? {} : { limit: bar }),
    },
  };
}
