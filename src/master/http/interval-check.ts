import type { ErrorDetail } from '../../common/errors.ts';
import { instantOf } from './parameters.ts';

/** `from` before `to`: an empty interval is a mistake, for it always answers nothing. */
export function checkInterval(query: { from?: string; to?: string }): ErrorDetail[] {
  const from = instantOf(query.from);
  const to = instantOf(query.to);
  if (from === undefined || to === undefined || from < to) return [];
  return [{ field: 'to', problem: 'must be after "from"' }];
}
