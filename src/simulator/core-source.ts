import type { Dialect } from './dialect.ts';

/** What an endpoint serves: a simulated core, or a recording of one. */
export interface CoreSource {
  readonly dialect: Dialect;
  /** The core's clock now, epoch milliseconds: for the `Date` header. */
  clock(): number;
  /** The message of this instant, UTF-8, newline included. */
  frame(): Buffer;
  close(id: string): void;
  closeAll(): void;
  reload(): void;
}
