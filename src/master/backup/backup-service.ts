import type { Component } from '../../common/component.ts';
import { CodedError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { Report } from '../../common/progress.ts';
import type { BackupMark } from '../ingest/lots.ts';
import type { FactFiles } from '../store/fact-files.ts';
import type { SnapshotSource } from '../store/store.ts';
import { type Backup, makeBackup } from './backup.ts';

export interface BackupServiceOptions {
  records: string;
  facts: string;
  files: FactFiles;
  store: SnapshotSource;
  /** Told what the records need not keep any more, and asked what they knew of. */
  marks: { backedUp(mark: BackupMark): Promise<void>; backup(): Promise<BackupMark> };
  /** Where backups are made; nobody from outside chooses it. */
  directory: string;
  logger: Logger;
  now?: () => number;
}

/** Backups of a master at work, one at a time. Ingest and queries go on meanwhile; flushing waits for one copy. */
export class BackupService implements Component {
  readonly name = 'backup';
  readonly #options: BackupServiceOptions;
  readonly #now: () => number;
  readonly #stopped = new AbortController();
  #running: Promise<Backup> | null = null;
  #newest: BackupMark = { lot: 0, at: 0 };

  constructor(options: BackupServiceOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async start(): Promise<void> {
    this.#newest = await this.#options.marks.backup();
  }

  /** Ends a backup under way; nothing of it is left. */
  async stop(): Promise<void> {
    this.#stopped.abort(new CodedError('not_ready', 'the master is stopping'));
    await this.#running?.catch(() => {});
  }

  /** The newest one that was read back: up to which lot, and when (epoch ms). Zeros where there is none. */
  get newest(): Readonly<BackupMark> {
    return this.#newest;
  }

  /**
   * Throws `busy` while another is made, here or by another process in the same directory, and what `makeBackup` throws.
   */
  async make(signal: AbortSignal, report: Report): Promise<Backup> {
    if (this.#running !== null) throw busy();
    this.#running = this.#make(AbortSignal.any([signal, this.#stopped.signal]), report);
    try {
      return await this.#running;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'file_in_use') throw busy();
      throw error;
    } finally {
      this.#running = null;
    }
  }

  async #make(signal: AbortSignal, report: Report): Promise<Backup> {
    const { records, facts, files, store, directory, marks, logger } = this.#options;
    const begun = this.#now();
    const copyFacts = (target: string) => store.snapshot(target, signal);
    const source = { records, facts, files, inUse: true, copyFacts };
    const backup = await makeBackup(source, directory, { signal, report }, this.#now);
    const { path, bytes, covered, manifest } = backup;
    logger.info({ path, bytes, ms: this.#now() - begun }, 'backup made');
    this.#newest = { lot: manifest.commonLot?.lot ?? 0, at: begun };
    if (covered > 0) {
      // The backup is whole whatever becomes of this: what is not forgotten now is so by its age.
      await marks
        .backedUp({ lot: covered, at: begun })
        .catch((error: unknown) =>
          logger.error({ err: error }, 'what the backup has could not be dropped from the records'),
        );
    }
    return backup;
  }
}

function busy(): CodedError {
  return new CodedError('busy', 'a backup is being made already', { retryAfter: 60 });
}
