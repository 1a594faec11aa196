import { MINUTE_MS } from '../../domain/bucket.ts';
import { mentions } from '../../domain/filter/names.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import { formatTime } from '../../domain/time.ts';
import type { KeptReader } from '../query/kept.ts';
import { resolveRange } from '../query/range.ts';
import { type View, viewOf } from '../query/view.ts';
import type { FactExport, SqlQuery, TierName } from '../store/store.ts';
import { FACT_EXPORT_COLUMNS, factStatement, TIME_PLACES } from './fact-statement.ts';
import type { Cell, Row, Table } from './table.ts';

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
  /** As rows of a file of the store's, or for `factTable`. */
  statement(forFile: boolean): SqlQuery;
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
  const statement = (forFile: boolean) => factStatement({ view, filter }, forFile).render();
  return { view: { ...view, aligned: view.aligned && range.aligned }, statement };
}

export function factTable(opened: FactExport, query: SqlQuery): Table {
  return { columns: FACT_EXPORT_COLUMNS, rows: withTimes(opened.rows(query)) };
}

/** Facts lie in the order of time, so most times are the one before. */
async function* withTimes(chunks: AsyncIterable<unknown[][]>): AsyncGenerator<Row[]> {
  const last = TIME_PLACES.map(() => ({ minute: null as unknown, text: '' }));
  for await (const rows of chunks) {
    for (const row of rows) {
      for (const place of TIME_PLACES) {
        const at = row[place];
        const known = last[place];
        if (at === null || known === undefined) continue;
        if (at !== known.minute) {
          known.minute = at;
          known.text = formatTime(Number(at) * MINUTE_MS);
        }
        row[place] = known.text;
      }
    }
    yield rows as Cell[][];
  }
}
