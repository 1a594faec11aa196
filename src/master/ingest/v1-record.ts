import {
  type ConnectionFields,
  DESCRIPTIVE_FIELDS,
  type DescriptiveName,
  emptyFields,
} from '../../domain/connection.ts';
import { parseTime } from '../../domain/time.ts';
import type { FieldReader } from '../layout/record-writer.ts';
import { cut } from './cut.ts';
import type { Sample } from './record.ts';
import { isId, MAX_COUNTER } from './rows.ts';

type Source = Record<string, unknown>;

/** What a merge needs of every v1 record; its descriptive fields are read where there is a use for them. */
export interface V1Record {
  id: string;
  agentId: string | null;
  /** Epoch ms. */
  at: number;
  sample: Sample;
  source: Source;
}

function numberOf(value: unknown): number | null {
  if (value === undefined || value === null || value === '') return 0;
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : null;
}

function timeOf(value: unknown): number | null {
  return typeof value === 'string' ? parseTime(value) : null;
}

/**
 * Reads a v1 record tolerantly: missing fields are empty, numbers may be text, `chains` may be null or an array.
 * Returns the reason when it cannot be taken. `now` (epoch ms) stands in for an unreadable `last_updated`.
 */
export function readV1(record: unknown, now: number): V1Record | 'malformed' | 'value-out-of-range' {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return 'malformed';
  const source = record as Source;
  if (!isId(source.id)) return 'malformed';
  const download = numberOf(source.download);
  const upload = numberOf(source.upload);
  if (download === null || upload === null) return 'value-out-of-range';
  if (download > MAX_COUNTER || upload > MAX_COUNTER) return 'value-out-of-range';
  const at = timeOf(source.last_updated) ?? timeOf(source.start) ?? now;
  return {
    id: source.id,
    agentId: typeof source.agent_id === 'string' ? source.agent_id : null,
    at,
    sample: { minute: Math.floor(at / 60_000), download, upload, recoveredDownload: 0, recoveredUpload: 0 },
    source,
  };
}

const EMPTY = emptyFields('');

/** One descriptive field of a v1 record. */
export function v1Value(source: Source, field: Parameters<FieldReader>[0]): string | number {
  const value = source[field.name];
  if (field.type === 'integer') {
    const number = numberOf(value);
    return number !== null && number <= 0xffffffff ? number : 0;
  }
  if (typeof value === 'string') return cut(value, field.max);
  if (Array.isArray(value)) return cut(JSON.stringify(value), field.max);
  return typeof value === 'number' ? String(value) : EMPTY[field.name];
}

/** All of them, for a connection that is new here. */
export function v1Fields({ id, source }: V1Record): ConnectionFields {
  const fields = { ...EMPTY, id } as ConnectionFields & Record<DescriptiveName, string | number>;
  for (const field of DESCRIPTIVE_FIELDS) fields[field.name] = v1Value(source, field) as never;
  fields.start = timeOf(source.start) ?? 0;
  return fields;
}
