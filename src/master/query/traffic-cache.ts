import type { RunQuery } from '../store/store.ts';
import type { KeptAt } from './kept.ts';
import type { MinuteRange } from './range.ts';
import { sql } from './sql.ts';
import type { TrafficFacts } from './traffic-facts.ts';

interface Entry {
  readonly facts: TrafficFacts;
  readonly at: KeptAt;
  readonly size: number;
}

/** Numbers and texts of all kept answers together: some 15 MB. */
const MAX_SIZE = 300_000;

/**
 * Answers of the fact store by question, each good while no lot that came after it touches its time and retention took
 * nothing since: an ended day is asked for again and again, and never changes, save for late facts. The ones that were
 * not asked for longest go first.
 */
export class TrafficCache {
  readonly #entries = new Map<string, Entry>();
  readonly #maxSize: number;
  #size = 0;
  hits = 0;
  misses = 0;

  constructor(maxSize = MAX_SIZE) {
    this.#maxSize = maxSize;
  }

  /** `ranges`: all that the question reads. Throws what `ask` throws, and keeps nothing then. */
  async get(
    key: string,
    ranges: readonly MinuteRange[],
    kept: KeptAt,
    run: RunQuery,
    ask: () => Promise<TrafficFacts>,
  ): Promise<TrafficFacts> {
    const found = this.#entries.get(key);
    if (found !== undefined) {
      this.#remove(key, found);
      if (await isGood(found.at, ranges, kept, run)) {
        this.hits++;
        this.#put(key, { ...found, at: kept });
        return found.facts;
      }
    }
    this.misses++;
    const facts = await ask();
    this.#put(key, { facts, at: kept, size: sizeOf(facts) + 1 });
    return facts;
  }

  #put(key: string, entry: Entry): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(key, known);
    if (entry.size > this.#maxSize / 4) return;
    this.#entries.set(key, entry);
    this.#size += entry.size;
    for (const [oldest, one] of this.#entries) {
      if (this.#size <= this.#maxSize) break;
      this.#remove(oldest, one);
    }
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#size -= entry.size;
  }
}

function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, part) => sum + sizeOf(part), 1);
}

async function isGood(
  then: KeptAt,
  ranges: readonly MinuteRange[],
  now: KeptAt,
  run: RunQuery,
): Promise<boolean> {
  const { wholeFrom } = now;
  if (then.wholeFrom.minute !== wholeFrom.minute || then.wholeFrom.half_hour !== wholeFrom.half_hour) {
    return false;
  }
  if (then.newest.lot === now.newest.lot && then.newest.token === now.newest.token) return true;
  const from = Math.min(...ranges.map((range) => range.from));
  const to = Math.max(...ranges.map((range) => range.to));
  const [row = {}] = await run(
    sql`SELECT count(*) FILTER (WHERE lot = ${then.newest.lot} AND token::VARCHAR = ${then.newest.token})::INTEGER AS same,
      count(*) FILTER (WHERE lot > ${then.newest.lot} AND first_bucket < ${to} AND last_bucket >= ${from})::INTEGER AS newer
      FROM lots WHERE lot >= ${then.newest.lot}`.render(),
  );
  return row.same === 1 && row.newer === 0;
}
