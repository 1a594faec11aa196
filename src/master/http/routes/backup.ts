import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { CodedError } from '../../../common/errors.ts';
import type { Progress, Report } from '../../../common/progress.ts';
import type { Backup } from '../../backup/backup.ts';
import { BackupLine } from '../answers/backup.ts';
import { addCommand } from '../command.ts';
import { closed } from '../contract.ts';
import type { HttpDeps } from '../deps.ts';
import { failure, success } from '../envelope.ts';
import { reportedError } from '../reported-error.ts';

/** Between two lines of one step. */
const LINE_MS = 500;
/** Longest silence: what stands between ends connections that say nothing. */
const SILENCE_MS = 15_000;

/**
 * `POST /storage/backup`: the master makes a backup in its directory of backups, which no request can choose, and tells
 * line by line how far it is. Ended with the connection: nothing is left of a backup that nobody waits for.
 */
export function backupRoute(app: FastifyInstance, { backups, logger }: HttpDeps): void {
  addCommand(app, {
    path: '/storage/backup',
    scope: 'admin',
    summary: 'Makes a backup of both stores while the master runs',
    description: 'Lines of JSON: how far it is, and at last what was made or what went wrong.',
    body: closed({}),
    returns: { 'application/x-ndjson': BackupLine },
    errors: ['busy', 'disk_full', 'backup_invalid', 'not_ready'],
    answer: async (_body, { reply, signal }) => {
      const lines = new PassThrough();
      lines.on('error', () => {});
      const begun = Promise.withResolvers<void>();
      let newest = '';
      const repeating = setInterval(() => lines.write(newest), SILENCE_MS);
      const report = seldom((progress) => {
        newest = `${JSON.stringify({ status: 'running', ...progress })}\n`;
        lines.write(newest);
        repeating.refresh();
        begun.resolve();
      });
      const made = backups.make(signal, report).finally(() => clearInterval(repeating));
      const ended = made.then(
        (backup) => success(answerOf(backup)),
        (error: unknown) => {
          const told = explained(error);
          if (told === error) logger.warn({ code: told.code, reason: told.message }, 'no backup was made');
          else logger.error({ err: error }, 'no backup was made');
          return failure(told);
        },
      );
      // What can be said before anything was written is said as everywhere else.
      await Promise.race([begun.promise, made]).catch((error: unknown) => {
        if (explained(error).status !== 0) throw error;
      });
      void ended.then((line) => lines.end(`${JSON.stringify(line)}\n`));
      return reply.type('application/x-ndjson; charset=utf-8').send(lines);
    },
  });
}

/** Who makes backups may know what is wrong with the files of this machine, unlike other clients. */
function explained(error: unknown): CodedError {
  return error instanceof CodedError ? error : reportedError(error);
}

function answerOf({ path, bytes, manifest }: Backup) {
  const { 'records.db': records, 'facts.duckdb': facts } = manifest.files;
  return {
    path,
    bytes,
    made_at: manifest.madeAt,
    store_id: records.storeId,
    common_lot: manifest.commonLot,
    files: {
      'records.db': { bytes: records.bytes, sha256: records.sha256 },
      'facts.duckdb': { bytes: facts.bytes, sha256: facts.sha256 },
    },
  };
}

/** Passes on the first word of each step, and then one now and again. */
function seldom(report: Report): Report {
  let step = '';
  let next = 0;
  return (progress: Progress) => {
    const now = performance.now();
    if (progress.step === step && now < next) return;
    step = progress.step;
    next = now + LINE_MS;
    report(progress);
  };
}
