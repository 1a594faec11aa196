import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { syncFile } from '../../common/durable-files.ts';
import { CodedError } from '../../common/errors.ts';

/** Names in a backup's directory. */
export const RECORDS_NAME = 'records.db';
export const FACTS_NAME = 'facts.duckdb';
export const MANIFEST_NAME = 'manifest.json';

const FORMAT = 1;

const Count = Type.Integer({ minimum: 0 });
const Digest = { bytes: Count, sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) };
const NewestLot = Type.Union([
  Type.Null(),
  Type.Object({ lot: Type.Integer({ minimum: 1 }), token: Type.String({ pattern: '^[0-9a-f]{16}$' }) }),
]);
const Whole = Type.String({ pattern: '^-?[0-9]+$' });

const RecordsEntry = Type.Object({
  ...Digest,
  storeId: Type.String({ minLength: 1 }),
  schema: Count,
  connections: Count,
  download: Type.Integer(),
  upload: Type.Integer(),
  agents: Count,
  lots: Count,
  newest: NewestLot,
  pending: Count,
});
const FactsEntry = Type.Object({
  ...Digest,
  storeId: Type.Union([Type.String(), Type.Null()]),
  schema: Count,
  lots: Count,
  newest: NewestLot,
  tables: Type.Record(
    Type.String(),
    Type.Object({ rows: Whole, download: Whole, upload: Whole, connections: Whole }),
  ),
});

const Manifest = Type.Object({
  format: Type.Integer(),
  /** ISO 8601. */
  madeAt: Type.String(),
  /** Version of the program that made it. */
  program: Type.String(),
  /** The newest lot that is in both files. */
  commonLot: NewestLot,
  files: Type.Object({ [RECORDS_NAME]: RecordsEntry, [FACTS_NAME]: FactsEntry }),
});
/** What a backup says of itself: whatever is read from its files must agree with it. */
export type Manifest = Static<typeof Manifest>;

export function writeManifest(directory: string, manifest: Omit<Manifest, 'format'>): void {
  const path = join(directory, MANIFEST_NAME);
  const content: Manifest = { format: FORMAT, ...manifest };
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  syncFile(path);
}

/** Names of the backups in a directory, in the order of their times; none where it is no directory. */
function backupsIn(directory: string): string[] {
  if (!statSync(directory).isDirectory()) return [];
  const names = readdirSync(directory).sort();
  return names.filter((name) => existsSync(join(directory, name, MANIFEST_NAME)));
}

/** Throws `file_unusable`, `backup_invalid` or `file_newer`. */
export function readManifest(directory: string): Manifest {
  const path = join(directory, MANIFEST_NAME);
  if (!existsSync(directory)) throw new CodedError('file_unusable', `there is no directory ${directory}`);
  if (!existsSync(path)) {
    const newest = backupsIn(directory).at(-1);
    const instead = newest === undefined ? '' : `; its newest backup is ${join(directory, newest)}`;
    throw new CodedError(
      'backup_invalid',
      `${directory} is no whole backup: it has no ${MANIFEST_NAME}${instead}`,
    );
  }
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CodedError('backup_invalid', `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const { format } = (content ?? {}) as { format?: unknown };
  if (typeof format === 'number' && format > FORMAT) {
    throw new CodedError(
      'file_newer',
      `${directory} is a backup of format ${format}; this program knows up to ${FORMAT}`,
    );
  }
  if (Value.Check(Manifest, content)) return content;
  const details = [...Value.Errors(Manifest, content)].map(({ path: field, message }) => ({
    field: field.slice(1).replaceAll('/', '.'),
    problem: message,
  }));
  throw new CodedError('backup_invalid', `${path} is not what it should be`, { details });
}
