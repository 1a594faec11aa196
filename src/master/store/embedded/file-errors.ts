import { CodedError } from '../../../common/errors.ts';

const KINDS = [
  { code: 'file_in_use', pattern: /Could not set lock|Conflicting lock/i },
  { code: 'file_newer', pattern: /database file with version number|newer version of DuckDB/i },
  {
    code: 'file_unusable',
    pattern:
      /Cannot open (file|database)|Permission denied|No such file|Read-only file system|No space left/i,
  },
  {
    code: 'file_damaged',
    pattern:
      /not a valid DuckDB|Corrupt|checksum|Could not read|WAL|Serialization|deserializ|INTERNAL|FATAL|TransactionManager/i,
  },
] as const;

/** Who holds the lock, from DuckDB's message: `… held in /usr/bin/node (PID 123) by user x`. */
function holderOf(message: string): string {
  const held = /held in (.+? \(PID \d+\)(?: by user \S+)?)/.exec(message)?.[1];
  return held ?? 'another process';
}

/** What DuckDB reports when a file cannot be opened or read, as a coded error; others pass unchanged. */
export function fileError(error: unknown, path: string): Error {
  if (error instanceof CodedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const kind = KINDS.find(({ pattern }) => pattern.test(message));
  if (!kind) return error instanceof Error ? error : new Error(message);
  const text =
    kind.code === 'file_in_use'
      ? `the facts file ${path} is held by ${holderOf(message)}`
      : `the facts file ${path}: ${message}`;
  return new CodedError(kind.code, text, { cause: error });
}
