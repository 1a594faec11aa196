import { HALF_HOUR } from '../../../domain/bucket.ts';
import { COLUMNS, quoted, TIERS } from './schema.ts';

/** What bytes of a fact are grouped by in each table of the coarse tier, time apart. */
const DIMENSIONS = [...COLUMNS.map(({ name }) => quoted(name)), 'recovered'];
const ASIDE_DIMENSIONS = ['kind', ...DIMENSIONS];

/** A table of minutes and the table of half hours that is made from it, with what both are grouped by. */
export interface Derivation {
  readonly fine: string;
  readonly coarse: string;
  readonly dimensions: string;
}

export const DERIVATIONS: readonly Derivation[] = [
  { fine: TIERS.minute.counted, coarse: TIERS.half_hour.counted, dimensions: DIMENSIONS.join(', ') },
  { fine: TIERS.minute.aside, coarse: TIERS.half_hour.aside, dimensions: ASIDE_DIMENSIONS.join(', ') },
];

/** The begin of the half hour that holds the minute in a column. */
export function halfHourOf(column: 'bucket' | 'prev'): string {
  return `(${column} // ${HALF_HOUR} * ${HALF_HOUR})`;
}

/**
 * By time, for whole row groups are skipped by it, and what comes in few values beside its like: runs of equal values
 * take a sixth less space, and reading `prev`, which every count needs, a fifth of the time.
 */
const ORDER = 'ORDER BY bucket, prev, agent, destination_port';

/**
 * Rows of half hours from pieces `lot, b, p, <dimensions>, up, down, conns`, where `b` is the half hour and `p` that
 * of the connection's previous fact, NULL in a piece that counts no connection in `b`: it had one there already.
 *
 * So a connection is counted once in each half hour that it touches, with the half hour before, and the count of any
 * interval with bounds on half hours is that of the minutes. Pieces without a count add bytes to a row of their
 * dimensions instead of making one of their own; where there is none, `b` stands for "not first here".
 */
export function coarseRows({ dimensions }: Derivation, pieces: string): string {
  return `WITH
    g AS (${pieces}),
    a AS (SELECT max(lot) AS lot, b, p, ${dimensions}, sum(up) AS up, sum(down) AS down, sum(conns) AS conns
      FROM g GROUP BY ALL),
    w AS (SELECT lot, b AS bucket, coalesce(p, min(p) OVER (PARTITION BY b, ${dimensions}), b) AS prev,
      ${dimensions}, up, down, conns FROM a)
    SELECT max(lot) AS lot, bucket, prev, ${dimensions}, sum(up)::BIGINT AS up, sum(down)::BIGINT AS down,
      sum(conns)::INTEGER AS conns
    FROM w GROUP BY bucket, prev, ${dimensions} ${ORDER}`;
}

/**
 * How many sums differ between two sets of pieces `b, p, up, down, conns`: bytes by half hour, and connections by
 * half hour and the one before, from which every count of an interval follows. 0 when both say the same.
 */
export function differences(left: string, right: string): string {
  return `WITH
    s AS (SELECT 1 AS sign, b, p, up, down, conns FROM (${left})
      UNION ALL SELECT -1, b, p, up, down, conns FROM (${right}))
    SELECT (SELECT count(*) FROM (SELECT b FROM s GROUP BY b
        HAVING sum(sign * up::HUGEINT) <> 0 OR sum(sign * down::HUGEINT) <> 0))
      + (SELECT count(*) FROM (SELECT b, p FROM s WHERE conns > 0 GROUP BY b, p HAVING sum(sign * conns) <> 0))`;
}
