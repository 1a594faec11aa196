import * as duckdb from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvLine } from '../../domain/csv.ts';
import { formatTime } from '../../domain/time.ts';
import { named, sql } from '../query/sql.ts';
import { bindValues } from '../store/embedded/values.ts';
import { type LineColumn, type LineFormat, lineStatement } from './fact-lines.ts';

const COLUMNS: readonly LineColumn[] = [
  { name: 'previous', type: 'time', value: sql`previous` },
  { name: 'host', type: 'text', value: named('host') },
  { name: 'group', type: 'text', value: named('group') },
  { name: 'destination_port', type: 'integer', value: named('destination_port') },
  { name: 'recovered', type: 'boolean', value: sql`recovered` },
];
interface Row {
  previous: number | null;
  host: string;
  group: string;
  destination_port: number;
  recovered: boolean;
}

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'",\r\n\t\'=+-@＝＋－＠\\/ \0', '\u2028', '\u001b', '😀', '\uFFFD'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});
const row: fc.Arbitrary<Row> = fc.record({
  // Minutes of the years 2018 to 9999.
  previous: fc.option(fc.integer({ min: 25_246_080, max: 4_223_371_679 }).filter((at) => at < 2 ** 31)),
  host: text,
  group: text,
  destination_port: fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
  recovered: fc.boolean(),
});

it('writes what csvLine and JSON write, whatever the texts are', async () => {
  const connection = await (await duckdb.DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const linesOf = async (rows: readonly Row[], format: LineFormat): Promise<string> => {
    // Texts come as JSON, the only way in which a NUL gets into a parameter.
    const table = sql`SELECT unnest(from_json(${JSON.stringify(rows)}::VARCHAR,
      ${'[{"previous":"INTEGER","host":"VARCHAR","group":"VARCHAR","destination_port":"INTEGER","recovered":"BOOLEAN"}]'}), recursive := true)`;
    const { text: statement, values } = lineStatement(table, COLUMNS, format).render();
    const bound = bindValues(duckdb, values);
    const found = await connection.runAndReadAll(statement, bound.values, bound.types);
    return Buffer.concat(found.getColumnsJS()[0]?.map((line) => line as Uint8Array) ?? []).toString();
  };
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
      const shown = rows.map(({ previous, ...rest }) => ({
        previous: previous === null ? null : formatTime(previous * 60_000),
        ...rest,
      }));
      expect(await linesOf(rows, 'csv')).toBe(shown.map((one) => csvLine(Object.values(one))).join(''));
      const lines = (await linesOf(rows, 'ndjson')).split('\n');
      expect(lines.pop()).toBe('');
      expect(lines.map((line) => JSON.parse(line))).toEqual(shown);
    }),
    { numRuns: 200 },
  );
});
