import type { DuckDBConnection } from '@duckdb/node-api';
import { arrivalOf, OUTAGE, unattributedOf } from './arrival.ts';
import { ADD_LOTS, COUNTED, FIRST_LOTS, factsOfHour, OVERLAY, TABLES, UNATTRIBUTED } from './bulk-sql.ts';
import { writeWorld } from './bulk-world.ts';
import type { GeneratedHour, Recipe } from './generator.ts';
import type { World } from './world.ts';

/** As the store does: until then they lie in memory. */
const ROWS_PER_CHECKPOINT = 500_000;

/**
 * Writes the generated data into the minute tier as the appended lots would lie there, a hundred times as fast: one
 * statement an hour in place of a transaction a minute. A test holds that both ways give the same rows.
 */
export class BulkFacts {
  readonly #connection: DuckDBConnection;
  readonly #recipe: Recipe;
  readonly #world: World;
  readonly #hour: string;
  #lot = 0;
  /** Written since the last checkpoint. */
  #rows = 0;

  private constructor(connection: DuckDBConnection, recipe: Recipe, world: World) {
    this.#connection = connection;
    this.#recipe = recipe;
    this.#world = world;
    this.#hour = factsOfHour(recipe);
  }

  static async begin(connection: DuckDBConnection, recipe: Recipe, world: World): Promise<BulkFacts> {
    for (const table of TABLES) await connection.run(table);
    await writeWorld(connection, world);
    return new BulkFacts(connection, recipe, world);
  }

  /** Writes the facts that arrive in an hour; returns how many. */
  async add({ from, to, begun, firstNumber }: GeneratedHour): Promise<number> {
    const { firstMinute } = this.#recipe;
    const [begin, end] = [firstMinute + from, firstMinute + to];
    const open = await this.#connection.createAppender('open');
    for (let i = 0; i < begun.length; i++) {
      open.appendBigInt(BigInt(firstNumber + i));
      open.appendInteger(begun.firstMinute[i]!);
      open.appendInteger(begun.minutes[i]!);
      open.appendInteger(begun.device[i]!);
      open.appendInteger(begun.host[i]!);
      open.appendInteger(begun.address[i]!);
      open.appendInteger(begun.chain[i]!);
      open.appendInteger(begun.program[i]!);
      open.appendBoolean(begun.overlay[i] === 1);
      open.appendBigInt(BigInt(begun.upload[i]!));
      open.appendBigInt(BigInt(begun.download[i]!));
      open.endRow();
    }
    open.closeSync();
    await this.#addUnattributed(begin, end);
    await this.#connection.run(this.#hour, [begin, end]);
    const rows = await this.#move();
    await this.#keep('open', `first_minute + minutes > ${end - OUTAGE}`);
    await this.#keep('unattributed', `arrival >= ${end}`);
    this.#rows += rows;
    if (this.#rows >= ROWS_PER_CHECKPOINT) await this.checkpoint();
    return rows;
  }

  /** What was written goes from memory into the file. */
  async checkpoint(): Promise<void> {
    await this.#connection.run('CHECKPOINT');
    this.#rows = 0;
  }

  /** Nothing frees deleted rows of a temporary table: those that stay move into a new one. */
  async #keep(table: string, condition: string): Promise<void> {
    await this.#connection.run(`CREATE TEMP TABLE kept AS SELECT * FROM ${table} WHERE ${condition}`);
    await this.#connection.run(`DROP TABLE ${table}`);
    await this.#connection.run(`ALTER TABLE kept RENAME TO ${table}`);
  }

  async #addUnattributed(begin: number, end: number): Promise<void> {
    const rows = await this.#connection.createAppender('unattributed');
    for (const agent of this.#world.agents.keys()) {
      for (let bucket = begin; bucket < end; bucket++) {
        const { download, upload } = unattributedOf(this.#recipe, agent, bucket);
        if (download === 0) continue;
        rows.appendInteger(arrivalOf(this.#recipe, agent, bucket));
        rows.appendInteger(bucket);
        rows.appendInteger(agent);
        rows.appendBigInt(BigInt(upload));
        rows.appendBigInt(BigInt(download));
        rows.endRow();
      }
    }
    rows.closeSync();
  }

  async #move(): Promise<number> {
    const run = (text: string, values: number[] = []) => this.#connection.run(text, values);
    await run(FIRST_LOTS, [this.#lot]);
    await run('BEGIN TRANSACTION');
    let rows = 0;
    for (const statement of [COUNTED, OVERLAY, UNATTRIBUTED]) rows += (await run(statement)).rowsChanged;
    const lots = await run(ADD_LOTS, [this.#recipe.seed]);
    await run('COMMIT');
    this.#lot += lots.rowsChanged;
    return rows;
  }
}
