import type { Component } from '../common/component.ts';
import type { Logger } from '../common/logger.ts';

/** What a command is made of: constructed and inert, so that `--check` can stop there. */
export interface Program {
  logger: Logger;
  /** In the order in which they start; stopped in reverse. */
  components: Component[];
  /** Says, once everything runs, what runs. */
  announce(): void;
}
