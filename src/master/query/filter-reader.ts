import { DIMENSIONS } from '../../domain/dimensions.ts';
import type { FilterScope } from '../../domain/filter/check.ts';
import type { FactReader } from '../store/store.ts';
import { type ReadFilter, readFilter } from './filter-text.ts';
import { listed, named, type Sql, sql } from './sql.ts';
import type { Freshness } from './stats-service.ts';

/** Closed sets that the data has: those whose values stand in the facts themselves. */
const CLOSED: readonly string[] = DIMENSIONS.filter(
  ({ type, entry }) => type === 'closed' && entry === undefined,
).map(({ column }) => column);

/** Looking again for a value that is not known costs a scan, so a client cannot ask for more of them than this. */
const LOOK_EVERY_MS = 1000;

type Values = Readonly<Record<string, readonly string[]>>;

export interface FilterReaderDependencies {
  facts: FactReader;
  freshness: Pick<Freshness, 'flushNow'>;
  /** Knows agents without any traffic, too. */
  records: { agents(): Promise<readonly { agentId: string }[]> };
  now?: () => number;
}

/**
 * Reads filters with what the data knows of closed sets, so that a mistyped agent is an error and not an empty
 * answer. Values only ever come to be: they are looked up when a filter names one that is not known yet, and kept.
 */
export class FilterReader {
  readonly #dependencies: FilterReaderDependencies;
  readonly #now: () => number;
  #known: Values = {};
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | null = null;

  constructor(dependencies: FilterReaderDependencies) {
    this.#dependencies = dependencies;
    this.#now = dependencies.now ?? Date.now;
  }

  /** `of`: what is filtered. Throws what reading facts can throw, when values must be looked up. */
  async read(text: string | undefined, of: FilterScope['of'], field?: string): Promise<ReadFilter> {
    const read = () => readFilter(text, { of, known: this.#known }, field);
    if (text === undefined || text === '') return read();
    const before = read();
    const first = this.#lookedAt === Number.NEGATIVE_INFINITY;
    if (!first && (before.problems.length === 0 || this.#now() - this.#lookedAt < LOOK_EVERY_MS)) {
      return before;
    }
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    await this.#looking;
    return read();
  }

  async #look(): Promise<void> {
    const { facts, freshness, records } = this.#dependencies;
    await freshness.flushNow();
    const at = this.#now();
    const [rows, agents] = await Promise.all([
      facts.read((run) => run(valuesStatement().render())),
      records.agents(),
    ]);
    const found = new Map<string, Set<string>>(CLOSED.map((name) => [name, new Set()]));
    for (const row of rows) found.get(String(row.field))?.add(String(row.value));
    for (const { agentId } of agents) found.get('agent')?.add(agentId);
    // Where there is nothing at all yet, no value is wrong.
    const known = [...found].filter(([, values]) => values.size > 0);
    this.#known = Object.fromEntries(known.map(([name, values]) => [name, [...values].sort()]));
    this.#lookedAt = at;
  }
}

/** `field`, `value`: all values of closed sets, of counted connections and others, in every tier. */
function valuesStatement(): Sql {
  const tables = [sql`minute`, sql`half_hour`, sql`minute_aside`, sql`half_hour_aside`];
  const parts = CLOSED.flatMap((name) =>
    tables.map((table) => sql`SELECT DISTINCT ${name} AS field, ${named(name)} AS value FROM ${table}`),
  );
  return sql`SELECT DISTINCT field, value FROM (${listed(parts, ' UNION ALL ')})`;
}
