import type { Component } from '../common/component.ts';
import type { Logger } from '../common/logger.ts';

/** A command that runs until it is told to stop: constructed and inert, so that `--check` can end there. */
export interface Program {
  logger: Logger;
  /** In the order in which they start; stopped in reverse. */
  components: Component[];
  /** Says, once everything runs, what runs. */
  announce(): void;
}

/** A command that ends by itself. */
export interface Task {
  /**
   * Does it, and resolves to the exit code: 0 done, 1 not wholly. `told` is aborted by a signal; what takes long ends
   * early then. Throws CodedError for what a person can mend.
   */
  run(told: AbortSignal): number | Promise<number>;
}
