import type { ExportedOutcome, ExportedRow } from '../ingest/exported-merge.ts';
import { Merger } from '../ingest/merger.ts';
import { exportedRows, type TableReader } from './exported-rows.ts';

/** Rows of one transaction. */
const CHUNK = 1000;
/** Problems that are told one by one; of the others there is the number. */
const MAX_TOLD = 100;

export interface ImportedRecords {
  new: number;
  grown: number;
  same: number;
  refused: number;
  /** The first of them. */
  problems: { line: number; problem: string }[];
  /** False when it was told to stop; what is left is taken when the same file is imported again. */
  complete: boolean;
}

/**
 * Imports an export of connections into a database whose master does not run. Idempotent, and so it can be told to stop
 * at any row and be begun again. Throws what `exportedRows` and opening the database throw.
 */
export async function importRecords(
  path: string,
  database: string,
  readParquet: TableReader,
  told: AbortSignal,
): Promise<ImportedRecords> {
  const counts: ImportedRecords = { new: 0, grown: 0, same: 0, refused: 0, problems: [], complete: true };
  // A file that is refused makes no database.
  let merger: Merger | undefined;
  const refuse = (line: number, problem: string) => {
    counts.refused++;
    if (counts.problems.length < MAX_TOLD) counts.problems.push({ line, problem });
  };
  let chunk: { line: number; row: ExportedRow }[] = [];
  const take = () => {
    merger ??= new Merger({ path: database, reserveLocal: false });
    const outcomes: ExportedOutcome[] = merger.importExported(chunk.map(({ row }) => row));
    for (const [index, outcome] of outcomes.entries()) {
      if (typeof outcome === 'string') counts[outcome]++;
      else refuse(chunk[index]?.line ?? 0, outcome.problem);
    }
    chunk = [];
  };
  try {
    for await (const read of exportedRows(path, readParquet)) {
      if ('problem' in read) refuse(read.line, read.problem);
      else chunk.push(read);
      if (chunk.length >= CHUNK) take();
      if (!told.aborted) continue;
      counts.complete = false;
      break;
    }
    take();
  } finally {
    merger?.close();
  }
  return counts;
}
