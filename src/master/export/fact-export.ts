import type { ExportFormat } from '../../domain/export.ts';
import { mentions } from '../../domain/filter/names.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import type { KeptReader } from '../query/kept.ts';
import { resolveRange } from '../query/range.ts';
import { type View, viewOf } from '../query/view.ts';
import type { FactExport, SqlQuery, TierName } from '../store/store.ts';
import { headOf, type LineFormat } from './fact-lines.ts';
import { FACT_EXPORT_COLUMNS, factStatement } from './fact-statement.ts';
import { PIECE } from './text.ts';

/** Which facts: all those of an interval that pass a filter. */
export interface FactsQuestion {
  /** Epoch ms, half-open; without a bound from where data begins, up to now. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** In which hours of the week are told apart; IANA name. */
  readonly tz: string;
  readonly filter: Filter | null;
  /** Absent: minutes where all of the interval still has them, else half hours. */
  readonly tier?: TierName | undefined;
}

export interface FactsPlan {
  readonly view: View;
  /** As rows of a file of the store's, or as lines. */
  readonly statement: (format: ExportFormat) => SqlQuery;
}

/** Which tier, which facts of it; `now` in epoch ms. */
export async function planFacts(
  opened: FactExport,
  kept: KeptReader,
  question: FactsQuestion,
  now: number,
): Promise<FactsPlan> {
  const state = await kept.read((query) => opened.run(query));
  const range = resolveRange(question, state.extent, now);
  const finest: TierName = range.from >= state.wholeFrom.minute ? 'minute' : 'half_hour';
  const { tz, filter, tier = finest } = question;
  const view = viewOf({ ranges: [range], tz, byHour: mentions(filter, ['hour_of_week']), tier }, state);
  const statement = (format: ExportFormat) => factStatement({ view, filter }, format).render();
  return { view: { ...view, aligned: view.aligned && range.aligned }, statement };
}

/** The facts as text, in pieces; for `csv` and `ndjson`. */
export async function* factText(
  opened: FactExport,
  { statement }: FactsPlan,
  format: LineFormat,
): AsyncGenerator<Uint8Array> {
  yield* headOf(FACT_EXPORT_COLUMNS, format);
  yield* opened.bytes(statement(format), PIECE);
}
