import { normalAgentId } from '../../domain/agent-id.ts';
import { minuteOf } from '../../domain/bucket.ts';
import type { Bytes } from '../../domain/connection.ts';
import { parseTime } from '../../domain/time.ts';
import { introduceAgent } from './agents.ts';
import type { MergeContext } from './batch-merge.ts';
import { mergeSample, type RecordState, type Sample, setClosed } from './record.ts';
import { isId, MAX_COUNTER } from './rows.ts';
import { v1Fields } from './v1-record.ts';

/** A row of an export of connections: values as its format has them, or as texts. */
export type ExportedRow = Readonly<Record<string, unknown>>;

/** What became of a row: a record is new here, counts more now, was here already; or why it cannot be taken. */
export type ExportedOutcome = 'new' | 'grown' | 'same' | { readonly problem: string };

interface Exported {
  readonly id: string;
  readonly agentId: string;
  /** Epoch ms. */
  readonly updatedAt: number;
  readonly closedAt: number | null;
  readonly counted: boolean;
  readonly base: Bytes;
  readonly sample: Sample;
  readonly row: ExportedRow;
}

/**
 * Merges exported records: the greater counter and the lower base hold, whatever order they come in, so that what was
 * imported once changes nothing any more. New bytes lie in the minute in which the record was last seen, as those of the
 * original's database do; only the facts themselves would know better, and they cannot be known again (ADR 0024).
 */
export class ExportedMerge {
  readonly #context: MergeContext;

  constructor(context: MergeContext) {
    this.#context = context;
  }

  merge(row: ExportedRow): ExportedOutcome {
    const read = readExported(row, this.#context.now);
    if ('problem' in read) return read;
    const { records, horizon, onEarlier } = this.#context;
    const known = records.find(read.id, read.agentId, onEarlier);
    if (known === undefined) {
      if (read.sample.minute < minuteOf(horizon)) return { problem: 'is older than what is kept here' };
      this.#introduce(read);
      this.#create(read);
      return 'new';
    }
    this.#introduce(read);
    records.covers.of(known);
    const grown = this.#take(known, read);
    const isWhole =
      read.sample.download >= known.counter.download && read.sample.upload >= known.counter.upload;
    if (read.closedAt !== null && known.closedAt === null && isWhole) {
      setClosed(known, Math.max(read.closedAt, known.updatedAt));
      return 'grown';
    }
    return grown ? 'grown' : 'same';
  }

  /** The records that are new here are counted with those of all merges. */
  #introduce({ agentId, updatedAt }: Exported): void {
    introduceAgent(this.#context.db, agentId, updatedAt, 0);
  }

  #create(read: Exported): void {
    const { id, agentId, row, counted, base, closedAt, updatedAt, sample } = read;
    const fields = v1Fields({ id, agentId, at: updatedAt, sample, source: row });
    const record = this.#context.records.create(fields, agentId, counted, base);
    this.#take(record, read);
    setClosed(record, closedAt);
  }

  #take(record: RecordState, { sample, base, updatedAt }: Exported): boolean {
    const booking = mergeSample(record, sample, null, base);
    this.#context.records.heard(record, this.#context.now);
    if (booking === null) return false;
    this.#context.ledger.book(record, booking);
    record.updatedAt = Math.max(record.updatedAt, updatedAt);
    return true;
  }
}

function readExported(row: ExportedRow, now: number): Exported | { problem: string } {
  const problems: string[] = [];
  const number = (name: string, most = MAX_COUNTER): number => {
    const value = row[name];
    const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
    const read = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (read <= most) return read;
    problems.push(`${name} is no whole number from 0 to ${most}`);
    return 0;
  };
  const time = (name: string): number => {
    const at = typeof row[name] === 'string' ? parseTime(row[name]) : null;
    if (at === null) problems.push(`${name} is no time`);
    return Math.min(at ?? 0, now);
  };
  const agentId = typeof row.agent_id === 'string' ? normalAgentId(row.agent_id) : null;
  if (agentId === null) problems.push('agent_id is none');
  if (!isId(row.id)) problems.push('id is none');
  const [download, upload] = [number('download'), number('upload')];
  const updatedAt = time('last_updated');
  const isOpen = row.closed_at === null || row.closed_at === '';
  const closedAt = isOpen ? null : time('closed_at');
  const base = { download: number('base_download', download), upload: number('base_upload', upload) };
  const recoveredDownload = number('recovered_download', download);
  const recoveredUpload = number('recovered_upload', upload);
  const counted = String(row.counted);
  if (counted !== 'true' && counted !== 'false') problems.push('counted is neither true nor false');
  if (problems.length > 0 || agentId === null || !isId(row.id)) return { problem: problems.join('; ') };
  const sample = { minute: minuteOf(updatedAt), download, upload, recoveredDownload, recoveredUpload };
  return { id: row.id, agentId, updatedAt, closedAt, counted: counted === 'true', base, sample, row };
}
