import { visible } from '../../agent/monitor/visible.ts';
import { widthOf } from '../../agent/monitor/width.ts';

/** Something wrong with a text, as the parser of filters and the API say it. */
export interface Placed {
  readonly at: readonly [from: number, to: number];
  readonly problem: string;
  readonly hint?: string;
}

/** The text, carets under each place that is wrong, and for each what is wrong and what would help. */
export function placesIn(text: string, errors: readonly Placed[]): string[] {
  const columns = errors.map(({ at: [from, to] }) => {
    const begin = widthOf(visible(text.slice(0, from)));
    return [begin, Math.max(begin + 1, widthOf(visible(text.slice(0, to))))] as const;
  });
  const marks = new Array<string>(Math.max(0, ...columns.map(([, end]) => end))).fill(' ');
  for (const [begin, end] of columns) marks.fill('^', begin, end);
  return [
    visible(text),
    marks.join(''),
    ...errors.map(({ at, problem, hint = '' }) => {
      const advice = hint === '' ? '' : ` (${hint})`;
      return visible(`at ${at[0] + 1}: ${problem}${advice}`);
    }),
  ];
}
