/** A condition on rows `c` of connections (`Columns.from`), and the values for its question marks. User text is in `values` alone. */
export interface Clause {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

export function joined(clauses: readonly Clause[], by: ' AND ' | ' OR '): Clause {
  return {
    sql: `(${clauses.map(({ sql }) => sql).join(by)})`,
    values: clauses.flatMap(({ values }) => values),
  };
}

/** One question mark for each value. */
export function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}
