import { visible } from '../../agent/monitor/visible.ts';
import type { CodedError, ErrorDetail } from '../../common/errors.ts';
import { type Placed, placesIn } from './filter-places.ts';
import type { ApiQuestion } from './question-task.ts';

/** A failure for whoever asked, everything that is wrong with the question at once, in the words of its options. */
export function failureText(
  error: CodedError,
  question: Pick<ApiQuestion, 'filter' | 'nameOf'> | undefined,
): string {
  const { details, message, hint } = error;
  const filter = question?.filter;
  const lines = [visible(message)];
  const places = details.filter((detail): detail is ErrorDetail & Placed => detail.at !== undefined);
  if (filter !== undefined && places.length > 0) {
    lines.push(`  ${question?.nameOf('filter')}`, ...placesIn(filter, places).map((line) => `      ${line}`));
  }
  for (const { field, problem, at } of details) {
    if (filter !== undefined && at !== undefined) continue;
    lines.push(visible(`  ${question?.nameOf(field) ?? field}: ${problem}`));
  }
  if (details.length === 0 || error.status !== 400) lines.push(hint);
  return lines.join('\n');
}
