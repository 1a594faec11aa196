import { CodedError } from '../../common/errors.ts';
import { FileLock } from '../../common/file-lock.ts';
import { silentLogger } from '../../common/logger.ts';
import { openBeside, type Sqlite } from '../../common/sqlite.ts';
import { formatTime } from '../../domain/time.ts';
import { createApp } from '../../master/http/app.ts';
import { RECORDS_FILE } from '../../master/ingest/schema.ts';
import { CatalogueService } from '../../master/query/catalogue-service.ts';
import { ConnectionBytes } from '../../master/query/connection-bytes.ts';
import { FilterReader } from '../../master/query/filter-reader.ts';
import { StatsService } from '../../master/query/stats-service.ts';
import { TrafficService } from '../../master/query/traffic-service.ts';
import { RecordsReader } from '../../master/records/records-reader.ts';
import { listWaiting } from '../../master/records/waiting.ts';
import { FactsAtRest, type FactsIdentity } from '../../master/store/embedded/facts-at-rest.ts';
import { TokenRegistry } from '../../master/tokens/token-registry.ts';
import type { Reply } from '../api-answer.ts';
import { filesBeside } from '../master-files.ts';
import type { Answerer } from './ask.ts';

/** Nobody listens here; a host that is served for its address. */
const OPTIONS = { host: '127.0.0.1', port: 0, apiToken: null, allowHosts: [], trustedOrigins: [] };

/**
 * The database of a master that does not run, asked through the API that the master itself would serve, without a
 * socket: what validates, computes and words the answers is the same, so that no number can differ.
 *
 * Nothing is changed: no schema is brought up to date, nothing is booked. Throws `database_served` where a process
 * holds the database, and what opening either file throws.
 */
export async function masterAtRest(database: string): Promise<Answerer> {
  const db = openBeside(database, RECORDS_FILE);
  let lock: FileLock | undefined;
  let facts: FactsAtRest | undefined;
  try {
    lock = lockOf(database);
    facts = await FactsAtRest.open(filesBeside(database).facts);
    const notes = compareStores(db, facts.identity, database);
    return answerer(database, facts, notes, () => {
      // Last of all who read the file: SQLite then takes away what it made beside it.
      db.close();
      lock?.release();
    });
  } catch (error) {
    await facts?.close();
    db.close();
    lock?.release();
    throw error;
  }
}

function lockOf(database: string): FileLock {
  try {
    return FileLock.take(database, RECORDS_FILE.kind);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'file_in_use') throw error;
    throw new CodedError('database_served', error.message, { cause: error });
  }
}

function answerer(database: string, facts: FactsAtRest, notes: string[], release: () => void): Answerer {
  const records = new RecordsReader({ path: database });
  records.start();
  // What is in the facts is all there is: nothing arrives, and nothing is booked.
  const freshness = {
    flushNow: async () => {},
    state: { freshTo: facts.identity.newest?.flushedAt ?? 0 },
  };
  const asked = { facts, freshness, records, gaps: records };
  const logger = silentLogger();
  const takesNothing = () => Promise.reject(new CodedError('not_ready', 'no master runs here'));
  const writer = { createToken: takesNothing, revokeToken: takesNothing, tokensUsed: takesNothing };
  const app = createApp(
    {
      ingest: { v1: takesNothing, v2: takesNothing },
      records,
      traffic: new TrafficService(asked),
      stats: new StatsService(asked),
      catalogue: new CatalogueService(asked),
      bytes: new ConnectionBytes(asked),
      filters: new FilterReader(asked),
      tokens: new TokenRegistry({ writer, logger }),
      backups: { make: takesNothing },
      exports: { open: takesNothing },
      probes: [],
      logger,
    },
    OPTIONS,
  );
  return {
    notes,
    async ask(path, body, signal): Promise<Reply> {
      const answer = await app.inject({
        url: `/api/v1${path}`,
        signal,
        ...(body === null ? { method: 'GET' as const } : { method: 'POST' as const, payload: body }),
      });
      return { status: answer.statusCode, body: answer.json() };
    },
    async close() {
      await app.close();
      await records.stop();
      await facts.close();
      release();
    },
  };
}

/**
 * What a master would put right when it starts: said, for until then the answers lack it. Throws `file_foreign` where
 * the facts belong to other records.
 */
function compareStores(db: Sqlite, { storeId, newest }: FactsIdentity, database: string): string[] {
  const own = db.prepare("SELECT value FROM meta WHERE key = 'store_id'").get() as { value: string };
  if (storeId !== undefined && storeId !== own.value) {
    throw new CodedError(
      'file_foreign',
      `the facts file ${filesBeside(database).facts} belongs to another records database`,
    );
  }
  const notes: string[] = [];
  const known = db.prepare('SELECT token FROM lots WHERE lot = ?').get(newest?.lot ?? 0) as
    | { token: string }
    | undefined;
  if (newest !== null && known?.token !== newest.token) {
    notes.push(
      'the records are older than the facts: the master takes back what they do not know when it starts',
    );
  }
  const waiting = listWaiting(db);
  if (waiting.length > 0) {
    // Whole minutes.
    const minute = (at: number) => formatTime(at).replace(':00.000Z', 'Z');
    const from = minute(Math.min(...waiting.map((row) => row.from)));
    const to = minute(Math.max(...waiting.map((row) => row.to)));
    notes.push(
      `traffic from ${from} to ${to} waits in the records and is not in it: a master books it when it starts`,
    );
  }
  return notes;
}
