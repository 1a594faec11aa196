import type { Bytes, ConnectionFields } from '../../domain/connection.ts';

/** A record as the merge holds it during one transaction. */
export interface RecordState {
  /** 0 until it is inserted. */
  num: number;
  rowid: number;
  agentId: string;
  /** Only known for records that this transaction creates or fills; null for one that is merely updated. */
  fields: ConnectionFields | null;
  counted: boolean;
  counter: Bytes;
  base: Bytes;
  recovered: Bytes;
  /** Minute of its newest fact; 0 for none. */
  lastBucket: number;
  closedAt: number | null;
  /** Epoch ms. */
  updatedAt: number;
  isNew: boolean;
  changed: boolean;
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
}

/**
 * Merges one sample into a record: a running maximum, so that sums depend on the set of samples only (docs/sync.md,
 * Model). `sourceBase` is what the source gave the connection as its base; null for a source without totals (v1,
 * import), whose base is 0. Returns null when the sample is old and changes nothing.
 *
 * - Booked = highest value − lowest base, over all sources, in any order.
 * - A base above the record's counter: the bytes between moved unwatched, and are booked as recovered.
 * - A base below the record's: the difference is booked with this sample.
 * - Booked into the later of the sample's minute and the record's newest fact, so that its facts come in order.
 */
export function mergeSample(record: RecordState, sample: Sample, sourceBase: Bytes | null): Booking | null {
  const base = sourceBase ?? { download: 0, upload: 0 };
  const down = mergeSide(record, sample, base, 'download');
  const up = mergeSide(record, sample, base, 'upload');
  if (down.booked === 0 && up.booked === 0 && !record.isNew) return null;

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
  return {
    facts,
    bucket,
    booked: { download: down.booked, upload: up.booked },
    covered:
      sourceBase === null ? { download: 0, upload: 0 } : { download: down.covered, upload: up.covered },
  };
}

const RECOVERED = { download: 'recoveredDownload', upload: 'recoveredUpload' } as const;

function mergeSide(
  record: RecordState,
  sample: Sample,
  base: Bytes,
  side: keyof Bytes,
): { booked: number; recovered: number; covered: number } {
  const value = sample[side];
  const before = record.counter[side];
  const growth = Math.max(0, value - before);
  const lowered = Math.max(0, record.base[side] - base[side]);
  const unwatched = Math.max(0, Math.min(value, base[side]) - before);
  const newlyRecovered = Math.max(0, sample[RECOVERED[side]] - record.recovered[side]);
  const covered = Math.max(0, value - Math.max(before, base[side])) + lowered;

  record.counter[side] = Math.max(before, value);
  record.base[side] -= lowered;
  record.recovered[side] = Math.max(record.recovered[side], sample[RECOVERED[side]]);
  return {
    booked: growth + lowered,
    recovered: Math.min(growth, unwatched + newlyRecovered),
    covered,
  };
}
