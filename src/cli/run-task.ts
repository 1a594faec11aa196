import type { Task } from './program.ts';
import { explain } from './run-program.ts';
import { onStopSignal } from './stop-signal.ts';

/** Exit code of a command that could not do what it was asked. */
const COULD_NOT = 2;

/** Runs a task to its end, and resolves to the exit code: its own, or 2 when it could not be done. */
export async function runTask(task: Task): Promise<number> {
  const told = new AbortController();
  onStopSignal(() => told.abort());
  // A reader such as `head` may leave before everything is written: that is its right, and no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : COULD_NOT);
  });
  try {
    return await task.run(told.signal);
  } catch (error) {
    console.error(explain(error));
    return COULD_NOT;
  }
}
