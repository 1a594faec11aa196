import { resolve } from 'node:path';
import type { Component } from '../common/component.ts';
import { FileLock } from '../common/file-lock.ts';
import { inspectStore } from '../common/inspect-store.ts';
import type { Logger } from '../common/logger.ts';
import { BackupService } from '../master/backup/backup-service.ts';
import { finishRestore } from '../master/backup/restore.ts';
import { ExportService } from '../master/export/export-service.ts';
import type { HttpOptions } from '../master/http/deps.ts';
import type { ReadinessProbe } from '../master/http/readiness.ts';
import { HttpServer } from '../master/http/server.ts';
import { IngestThread } from '../master/ingest/ingest-thread.ts';
import type { PrunedSums } from '../master/ingest/record-retention.ts';
import { RECORDS_FILE } from '../master/ingest/schema.ts';
import { CatalogueService } from '../master/query/catalogue-service.ts';
import { ConnectionBytes } from '../master/query/connection-bytes.ts';
import { FilterReader } from '../master/query/filter-reader.ts';
import { StatsService } from '../master/query/stats-service.ts';
import { TrafficService } from '../master/query/traffic-service.ts';
import { RecordsReader } from '../master/records/records-reader.ts';
import { EmbeddedFactStore } from '../master/store/embedded/embedded-fact-store.ts';
import { EMBEDDED_FACT_FILES } from '../master/store/embedded/fact-files.ts';
import { LotFlusher } from '../master/store/flusher.ts';
import { Maintenance } from '../master/store/maintenance.ts';
import type { RetentionPolicy } from '../master/store/retention.ts';
import { TokenRegistry } from '../master/tokens/token-registry.ts';
import { factsReadiness } from './facts-probe.ts';
import { filesBeside } from './master-files.ts';

/** Facts waiting that make a flush due at once. */
const HURRY_ROWS = 5000;

export interface MasterSetup {
  database: string;
  /** Default: `backup` beside the database. */
  backupDirectory?: string | undefined;
  http: HttpOptions;
  /** How long facts are kept, and in how much space. */
  retention: RetentionPolicy;
  /** Days that records are kept, 0 for ever. */
  recordRetentionDays: number;
  /** Whether an agent of this process delivers under the reserved id. */
  hasLocalAgent: boolean;
  logger: Logger;
  /** `--check`: the database's file is looked at. */
  check?: boolean;
}

export interface MasterParts {
  ingest: IngestThread;
  server: HttpServer;
  stats: StatsService;
  catalogue: CatalogueService;
  components: Component[];
}

/** A master, constructed and inert; no file is made or changed before `start`. */
export function buildMaster(setup: MasterSetup): MasterParts {
  const { database, logger } = setup;
  const files = filesBeside(database);
  if (setup.check) inspectStore(database, RECORDS_FILE);
  const ingest = new IngestThread({
    path: database,
    reserveLocal: setup.hasLocalAgent,
    recordRetentionDays: setup.recordRetentionDays,
    hurryRows: HURRY_ROWS,
    onHurry: () => flusher.poke(HURRY_ROWS),
    onTokens: (all) => tokens.replace(all),
    logger,
  });
  const tokens = new TokenRegistry({ writer: ingest, logger });
  const facts = new EmbeddedFactStore({
    path: files.facts,
    tempDirectory: files.temp,
    onRecovered: (reason) =>
      logger.error(
        { reason },
        'the facts file was damaged; its last good copy took its place, and lots follow',
      ),
  });
  const maintenance = new Maintenance({ facts, retention: setup.retention, totals: ingest, log: logger });
  const flusher = new LotFlusher({ source: ingest, facts, log: logger, onLoss: () => maintenance.lost() });
  const records = new RecordsReader({ path: database });
  const stats = new StatsService({ facts, gaps: records, freshness: flusher });
  const traffic = new TrafficService({ facts, records, freshness: flusher });
  const catalogue = new CatalogueService({ facts, freshness: flusher });
  const bytes = new ConnectionBytes({ facts, freshness: flusher });
  const filters = new FilterReader({ facts, freshness: flusher, records });
  const backups = new BackupService({
    records: database,
    facts: files.facts,
    files: EMBEDDED_FACT_FILES,
    store: facts,
    marks: ingest,
    directory: resolve(setup.backupDirectory ?? files.backups),
    logger,
  });
  const exports = new ExportService({ facts, records, traffic, freshness: flusher });
  const server = new HttpServer(
    {
      ingest,
      records,
      traffic,
      stats,
      catalogue,
      bytes,
      filters,
      exports,
      tokens,
      backups,
      probes: [...probes(ingest, flusher, maintenance, records), backupProbe(backups, ingest)],
      logger,
    },
    setup.http,
  );
  let lock: FileLock | undefined;
  const file: Component = {
    name: 'lock',
    start: () => {
      lock = FileLock.take(database, RECORDS_FILE.kind);
      const restored = finishRestore({ records: database, facts: files.facts });
      if (restored !== null) logger.warn({ restored }, 'a restore that was cut short was carried out');
    },
    stop: () => lock?.release(),
  };
  return {
    ingest,
    server,
    stats,
    catalogue,
    components: [file, ingest, facts, flusher, maintenance, records, tokens, backups, server],
  };
}

function probes(
  ingest: IngestThread,
  flusher: LotFlusher,
  maintenance: Maintenance,
  records: RecordsReader,
): ReadinessProbe[] {
  return [
    {
      name: 'ingest',
      check: () =>
        ingest.ready
          ? {
              state: ingest.importLeft > 0 ? 'warning' : 'ok',
              ...(ingest.importLeft > 0
                ? { reason: 'rows of the original database, or of an earlier version, are being imported' }
                : {}),
              values: { waiting: ingest.waiting, import_left: ingest.importLeft },
            }
          : { state: 'error', reason: 'the records database is not open' },
    },
    { name: 'facts', check: () => factsReadiness(flusher.state, maintenance.state) },
    {
      name: 'records',
      check: () => {
        const { waiting, timeouts } = records.state;
        return { state: 'ok', values: { waiting, timeouts, ...removed(ingest.pruned) } };
      },
    },
  ];
}

/** What retention took of the records: their number, and bytes that `/connections` lists no more. */
function removed({ records, download, upload, horizon }: PrunedSums) {
  return {
    removed: records,
    removed_download: download,
    removed_upload: upload,
    horizon: horizon === 0 ? null : horizon,
  };
}

/** Without a backup nothing is wrong; how old the newest is, and what no backup has, is there for an alarm. */
function backupProbe(backups: BackupService, ingest: IngestThread): ReadinessProbe {
  return {
    name: 'backup',
    check: () => {
      const { lot, at } = backups.newest;
      const values = { newest: at, newest_lot: lot, dropped_without_backup: ingest.forgottenWithoutBackup };
      return { state: 'ok', values };
    },
  };
}
