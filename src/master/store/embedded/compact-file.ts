import { existsSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { syncFile } from '../../../common/durable-files.ts';
import type { Report } from '../../../common/progress.ts';
import type { CompactedFacts } from '../fact-files.ts';
import { TABLE_NAMES } from './check-file.ts';
import { fileError } from './file-errors.ts';
import { inspectFile } from './inspect-file.ts';
import { loadDuckDB } from './native.ts';
import { openFacts } from './open.ts';
import { ALL_FACT_TABLES, COLUMNS, DICTIONARIES, quoted } from './schema.ts';

type Dictionary = (typeof DICTIONARIES)[number];

/** How the new file is called in SQL while both are open. */
const FRESH = 'fresh';

/**
 * See `FactFiles.compact`. The tables are copied row by row in their order, so rows stay in the order of lots and time,
 * by which a query passes over what it need not read; and row groups that retention left half empty become full ones.
 * A `COPY FROM DATABASE` would carry over dictionary entries that no fact uses.
 */
export async function compactFile(report: Report, path: string, target: string): Promise<CompactedFacts> {
  const spill = `${target}.tmp`;
  const file = await openFacts(await loadDuckDB(), {
    path,
    memoryLimitMb: 256,
    threads: 2,
    tempDirectory: spill,
    outputDirectory: dirname(target),
  });
  const dropped: Record<string, number> = {};
  let before = 0;
  try {
    // What the file alone holds is what the new one is compared with.
    await file.writer.run('CHECKPOINT');
    if (existsSync(`${path}.wal`)) throw new Error(`the log of ${path} could not be joined to it`);
    before = statSync(path).size;
    const copy = await Copy.begin(file.writer, target, (done) =>
      report({ step: 'compacting facts', done: Math.round(before * done), total: before }),
    );
    await copy.fill();
    for (const dictionary of DICTIONARIES) dropped[dictionary] = await copy.dropped(dictionary);
    await copy.compare();
    await copy.end();
  } catch (error) {
    throw fileError(error, path);
  } finally {
    file.writer.closeSync();
    file.close();
    rmSync(spill, { recursive: true, force: true });
  }
  // As it will be read from now on: by itself, every column.
  const { bytes } = await inspectFile(report, target);
  syncFile(target);
  return { before, after: bytes, dropped };
}

class Copy {
  readonly #connection: DuckDBConnection;
  readonly #tables: readonly string[];
  readonly #old: string;
  readonly #report: (share: number) => void;

  private constructor(
    connection: DuckDBConnection,
    old: string,
    tables: readonly string[],
    report: (share: number) => void,
  ) {
    this.#connection = connection;
    this.#old = old;
    this.#tables = tables;
    this.#report = report;
  }

  static async begin(
    connection: DuckDBConnection,
    target: string,
    report: (share: number) => void,
  ): Promise<Copy> {
    const first = async (sql: string) => (await connection.runAndReadAll(sql)).getColumns()[0] ?? [];
    const old = quoted(String((await first('SELECT current_database()'))[0]));
    const tables = (await first(TABLE_NAMES)).map(String);
    await connection.run(`ATTACH '${target.replaceAll("'", "''")}' AS ${FRESH}`);
    await connection.run(`COPY FROM DATABASE ${old} TO ${FRESH} (SCHEMA)`);
    return new Copy(connection, old, tables, report);
  }

  async fill(): Promise<void> {
    for (const [at, table] of this.#tables.entries()) {
      this.#report(at / (this.#tables.length * 2));
      const name = quoted(table);
      const used = isDictionary(table) ? ` WHERE ${this.#isUsed(table)}` : '';
      await this.#connection.run(`INSERT INTO ${FRESH}.${name} SELECT * FROM ${this.#old}.${name}${used}`);
    }
    await this.#connection.run(`CHECKPOINT ${FRESH}`);
  }

  /** Entries of a dictionary that were left behind. */
  async dropped(dictionary: Dictionary): Promise<number> {
    const name = quoted(dictionary);
    return await this.#count(
      `(SELECT count(*) FROM ${this.#old}.${name}) - (SELECT count(*) FROM ${FRESH}.${name})`,
    );
  }

  /** Throws where the new file does not hold exactly what the old one holds, unused entries apart. */
  async compare(): Promise<void> {
    for (const [at, table] of this.#tables.entries()) {
      this.#report((1 + at / this.#tables.length) / 2);
      const differences = isDictionary(table)
        ? await this.#count(
            `(SELECT count(*) FROM (SELECT * FROM ${this.#old}.${quoted(table)} WHERE ${this.#isUsed(table)}
               EXCEPT SELECT * FROM ${FRESH}.${quoted(table)}))`,
          )
        : await this.#different(
            (file) => `SELECT count(*), bit_xor(hash(COLUMNS(*))) FROM ${file}.${quoted(table)}`,
          );
      if (differences !== 0) throw new Error(`the copy of ${table} is not what was copied`);
    }
    for (const table of ALL_FACT_TABLES) await this.#compareSums(table);
  }

  /** By agent and day, through the dictionaries: a fact whose entry were missing would be missing in the sums. */
  async #compareSums(table: string): Promise<void> {
    if (!this.#tables.includes(table)) return;
    const differences = await this.#different((file) => {
      const joins = COLUMNS.flatMap(({ name, dictionary }) =>
        dictionary === undefined
          ? []
          : [`JOIN ${file}.${quoted(dictionary)} AS j_${name} ON j_${name}.id = f.${quoted(name)}`],
      );
      return `SELECT agent, bucket // 1440 AS day, count(*), sum(up), sum(down), sum(conns)
        FROM ${file}.${quoted(table)} AS f ${joins.join(' ')} GROUP BY ALL`;
    });
    if (differences !== 0) throw new Error(`the sums of ${table} are not what they were`);
  }

  async end(): Promise<void> {
    await this.#connection.run(`DETACH ${FRESH}`);
  }

  /** Rows that one of the two files has and the other has not. */
  async #different(query: (file: string) => string): Promise<number> {
    const [old, fresh] = [query(this.#old), query(FRESH)];
    return await this.#count(
      `(SELECT count(*) FROM ((${old} EXCEPT ALL ${fresh}) UNION ALL (${fresh} EXCEPT ALL ${old})))`,
    );
  }

  async #count(expression: string): Promise<number> {
    const found = await this.#connection.runAndReadAll(`SELECT ${expression}`);
    return Number(found.getColumns()[0]?.[0]);
  }

  /** Whether a dictionary's entry stands for a value of some fact, or for no value. */
  #isUsed(dictionary: Dictionary): string {
    const columns = COLUMNS.filter((column) => column.dictionary === dictionary);
    const tables = ALL_FACT_TABLES.filter((table) => this.#tables.includes(table));
    const uses = tables.flatMap((table) =>
      columns.map(({ name }) => `SELECT ${quoted(name)} FROM ${this.#old}.${quoted(table)}`),
    );
    return `id = 0 OR id IN (${uses.join(' UNION ')})`;
  }
}

function isDictionary(table: string): table is Dictionary {
  return (DICTIONARIES as readonly string[]).includes(table);
}
