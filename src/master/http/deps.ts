import type { Logger } from '../../common/logger.ts';
import type { BackupService } from '../backup/backup-service.ts';
import type { ExportService } from '../export/export-service.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { CatalogueService } from '../query/catalogue-service.ts';
import type { ConnectionBytes } from '../query/connection-bytes.ts';
import type { FilterReader } from '../query/filter-reader.ts';
import type { StatsService } from '../query/stats-service.ts';
import type { TrafficService } from '../query/traffic-service.ts';
import type { Records } from '../records/query.ts';
import type { TokenRegistry } from '../tokens/token-registry.ts';
import type { AddressTrust } from './address-trust.ts';
import type { ReadinessProbe } from './readiness.ts';
import type { Tickets } from './tickets.ts';

/** What the API answers from. */
export interface HttpDeps {
  readonly ingest: Pick<Ingest, 'v1' | 'v2'>;
  readonly records: Records;
  readonly traffic: Pick<TrafficService, 'answer'>;
  readonly stats: Pick<StatsService, 'summary' | 'group' | 'timeseries'>;
  readonly catalogue: Pick<
    CatalogueService,
    'filterOptions' | 'perAgent' | 'agentDetail' | 'dailySums' | 'daysKept' | 'missing'
  >;
  readonly bytes: Pick<ConnectionBytes, 'refresh' | 'inRange' | 'minutes'>;
  readonly filters: Pick<FilterReader, 'read'>;
  readonly backups: Pick<BackupService, 'make'>;
  readonly exports: Pick<ExportService, 'open'>;
  /** What `/ready` asks beside the records. */
  readonly probes: readonly ReadinessProbe[];
  readonly tokens: Pick<TokenRegistry, 'find' | 'used' | 'kinds' | 'onChange' | 'list' | 'create' | 'revoke'>;
  readonly logger: Logger;
  /** Epoch milliseconds; replaced in tests. */
  readonly now?: () => number;
}

/** What routes are made of. */
export interface RouteDeps extends HttpDeps {
  readonly trust: AddressTrust;
  readonly tickets: Tickets;
  /** Whether other machines can reach it. */
  readonly reachable: boolean;
}

/** The flags that concern HTTP, already validated. */
export interface HttpOptions {
  /** `--host`, `--port`. */
  readonly host: string;
  readonly port: number;
  /** `--api-token`; null: tokens of the records alone, and where there are none, the client's address. */
  readonly apiToken: string | null;
  /** `--allow-hosts`: names beside our own under which a master without token is served. */
  readonly allowHosts: readonly string[];
  /** `--trusted-origins`: pages that may call the API, such as `https://dash.example`. */
  readonly trustedOrigins: readonly string[];
  /** Time for a whole request to arrive, milliseconds; 30 s unless a test is in a hurry. */
  readonly bodyTimeoutMs?: number;
  /** Addresses of which any number of connections is taken; loopback unless a test, which is there, is about them. */
  readonly isExempt?: (address: string) => boolean;
}
