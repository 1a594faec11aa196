import { startAll, stopAll } from '../common/component.ts';
import { CodedError } from '../common/errors.ts';
import type { Program } from './program.ts';
import { onStopSignal } from './stop-signal.ts';

/** Time for everything to be flushed and closed; service managers wait 10 s and more before they kill. */
const STOP_MS = 9000;

/** A failure that a person can mend, as text for standard error. */
export function explain(error: unknown): string {
  if (!(error instanceof CodedError)) return String((error as Error)?.stack ?? error);
  const details = error.details.map(({ field, problem }) => `\n  ${field}: ${problem}`).join('');
  return `${error.message}${details}\n${error.hint}`;
}

/**
 * Starts a program and keeps it until it is told to stop (SIGINT, SIGTERM, SIGHUP), which may be while it still
 * starts; a second signal ends it at once.
 * Resolves to the exit code: 0 stopped cleanly, 1 something could not be stopped in time, 2 it could not start.
 */
export async function runProgram(program: Program): Promise<number> {
  const told = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    onStopSignal((signal) => {
      told.abort();
      resolve(signal);
    });
  });
  try {
    await startAll(program.components, told.signal);
  } catch (error) {
    if (!(error instanceof CodedError)) program.logger.fatal({ err: error }, 'could not start');
    console.error(explain(error));
    return 2;
  }
  if (!told.signal.aborted) program.announce();
  const signal = await stopped;
  program.logger.info({ signal }, 'stopping');
  const late = await stopAll(program.components, STOP_MS);
  if (late.length === 0) {
    program.logger.info('stopped');
    return 0;
  }
  program.logger.error({ late }, 'not everything stopped in time');
  return 1;
}
