import type { Bytes, ConnectionFields } from '../../domain/connection.ts';
import { type Cover, leave, reach } from './covers.ts';

/** A record as the merge holds it: during a transaction, and after it while the record is one of the hot ones. */
export interface RecordState {
  num: number;
  /** The file has it. */
  isStored: boolean;
  agentId: string;
  /** Only of a record that is not inserted yet. */
  fields: ConnectionFields | null;
  /** A bit for each descriptive field that holds nothing (`RecordTable.fill`); null until somebody asked. */
  empty: number | null;
  /** What each journal's totals cover of it; null until somebody asked (`Covers.of`). */
  covers: Cover[] | null;
  counted: boolean;
  counter: Bytes;
  base: Bytes;
  recovered: Bytes;
  /** Minute of its newest fact; 0 for none. */
  lastBucket: number;
  closedAt: number | null;
  /** Epoch ms. */
  updatedAt: number;
  /** When something last arrived for it, as the file says (master's clock, epoch ms); 0 until it is inserted. */
  arrivedAt: number;
  isNew: boolean;
  changed: boolean;
  /** Among what changed is something that seldom does: base, recovered, closed. */
  changedRarely: boolean;
  /** A cover changed, or a base was given. */
  coversChanged: boolean;
}

/** What a fact takes from its record. */
export type FactOwner = Pick<RecordState, 'num' | 'agentId' | 'counted'>;

/** Closes a record at an instant, or opens it again with null. */
export function setClosed(record: RecordState, at: number | null): void {
  if (record.closedAt === at) return;
  record.closedAt = at;
  record.changed = true;
  record.changedRarely = true;
}

/** Absolute counters of one connection at the end of a minute, as one source reports them. */
export interface Sample extends Bytes {
  minute: number;
  recoveredDownload: number;
  recoveredUpload: number;
}

/** A fact that a merge yields. */
export interface BookedFact {
  bucket: number;
  prev: number;
  recovered: boolean;
  download: number;
  upload: number;
  conns: 0 | 1;
}

export interface Booking {
  facts: BookedFact[];
  bucket: number;
  /** All that was booked. */
  booked: Bytes;
  /** The part that the source's own totals cover; taken off its unattributed bytes. */
  covered: Bytes;
  /** Minute of the sample. */
  minute: number;
  /** What its totals cover, too, but another source had booked before: no longer unmeasured, nor unattributed. */
  repeated: Bytes;
}

const NONE: Readonly<Bytes> = { download: 0, upload: 0 };

/**
 * Merges one sample into a record: a running maximum, so that sums depend on the set of samples only (docs/sync.md,
 * Model). `cover` is what the totals of the source cover of the connection; null for a source without totals (v1,
 * import), whose base is 0 unless it is said. Returns null when the sample is old and changes nothing.
 *
 * - Booked = highest value − lowest base, over all sources, in any order.
 * - A base above the record's counter: the bytes between moved unwatched, and are booked as recovered.
 * - A base below the record's: the difference is booked with this sample.
 * - Booked into the later of the sample's minute and the record's newest fact, so that its facts come in order.
 * - Covered are the values above what the source's samples covered before, whoever booked them: for each journal, what
 *   is taken off its totals is its highest value − its base.
 */
export function mergeSample(
  record: RecordState,
  sample: Sample,
  cover: Cover | null,
  base: Bytes = cover === null ? NONE : cover.base,
): Booking | null {
  const down = compareSide(record, sample, { cover, base }, 'download');
  const up = compareSide(record, sample, { cover, base }, 'upload');
  const repeats = down.repeated > 0 || up.repeated > 0;
  const repeated = repeats ? { download: down.repeated, upload: up.repeated } : NONE;
  if (down.booked === 0 && up.booked === 0 && !record.isNew) {
    if (!repeats) return null;
    if (cover !== null) reach(record, cover, sample);
    return {
      facts: [],
      bucket: record.lastBucket,
      booked: NONE,
      covered: NONE,
      minute: sample.minute,
      repeated,
    };
  }
  leave(record, cover);
  takeSide(record, sample, down, 'download');
  takeSide(record, sample, up, 'upload');
  if (cover !== null) reach(record, cover, sample);

  const bucket = Math.max(sample.minute, record.lastBucket);
  const first: 0 | 1 = bucket > record.lastBucket || record.isNew ? 1 : 0;
  const facts: BookedFact[] = [];
  const plain = { download: down.booked - down.recovered, upload: up.booked - up.recovered };
  const recovered = { download: down.recovered, upload: up.recovered };
  const prev = record.lastBucket;
  const hasRecovered = recovered.download > 0 || recovered.upload > 0;
  if (plain.download > 0 || plain.upload > 0 || !hasRecovered) {
    facts.push({ bucket, prev, recovered: false, ...plain, conns: first });
  }
  if (hasRecovered) {
    facts.push({ bucket, prev, recovered: true, ...recovered, conns: facts.length === 0 ? first : 0 });
  }
  record.lastBucket = bucket;
  record.isNew = false;
  record.changed = true;
  const booked = { download: down.booked, upload: up.booked };
  const covered = { download: down.covered, upload: up.covered };
  return { facts, bucket, booked, covered, minute: sample.minute, repeated };
}

const RECOVERED = { download: 'recoveredDownload', upload: 'recoveredUpload' } as const;

interface Side {
  booked: number;
  recovered: number;
  covered: number;
  repeated: number;
  lowered: number;
  newlyRecovered: number;
}

interface Source {
  readonly cover: Cover | null;
  readonly base: Bytes;
}

function compareSide(record: RecordState, sample: Sample, source: Source, side: keyof Bytes): Side {
  const { cover } = source;
  const value = sample[side];
  const base = source.base[side];
  const before = record.counter[side];
  const growth = Math.max(0, value - before);
  const lowered = Math.max(0, record.base[side] - base);
  const unwatched = Math.max(0, Math.min(value, base) - before);
  const newlyRecovered = Math.max(0, sample[RECOVERED[side]] - record.recovered[side]);
  // What is covered now lies between these two; what is booked now, above the counter or below the record's base.
  const from = cover === null ? value : Math.max(base, cover.to[side]);
  const covered =
    Math.max(0, value - Math.max(before, from)) + Math.max(0, Math.min(value, record.base[side]) - from);
  return {
    booked: growth + lowered,
    recovered: Math.min(growth, unwatched + newlyRecovered),
    covered,
    repeated: Math.max(0, value - from) - covered,
    lowered,
    newlyRecovered,
  };
}

/** Only of a sample that books something: what changes nothing must not be remembered either. */
function takeSide(record: RecordState, sample: Sample, compared: Side, side: keyof Bytes): void {
  const { lowered, newlyRecovered } = compared;
  const value = sample[side];
  const before = record.counter[side];
  record.counter[side] = Math.max(before, value);
  if (lowered === 0 && newlyRecovered === 0) return;
  record.base[side] -= lowered;
  record.recovered[side] += newlyRecovered;
  record.changedRarely = true;
}
