import type { LongTask } from '../common/progress.ts';
import type { Task } from './program.ts';
import { ProgressLine } from './progress.ts';

/** What the work says at its end, on standard output. */
export type Said = readonly string[];

/**
 * A command that takes long: it shows how far it is, ends early when told to, and says then that all is as it was (exit
 * code 1), or else what it did.
 */
export function longTask(name: string, work: (task: LongTask) => Promise<Said>): Task {
  return {
    run: async (told) => {
      const line = new ProgressLine();
      try {
        const said = await work({ signal: told, report: line.report });
        line.end();
        console.log(said.join('\n'));
        return 0;
      } catch (error) {
        line.end();
        if (!told.aborted) throw error;
        console.error(`${name} was interrupted: nothing is lost, and nothing half done is left`);
        return 1;
      }
    },
  };
}
