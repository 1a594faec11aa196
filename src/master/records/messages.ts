import type { ErrorCode, ErrorDetail } from '../../common/errors.ts';
import type { OperationName } from './operations.ts';

/** What the worker is started with. */
export interface WorkerInput {
  readonly path: string;
  /** Shared memory (`cancellation.ts`). */
  readonly signal: Int32Array;
}

export interface Question {
  readonly id: number;
  readonly operation: OperationName;
  readonly args: readonly unknown[];
}

/** Errors cross threads as data; `code` null is a failure that nobody foresaw. */
export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly code: ErrorCode | null;
      readonly message: string;
      readonly details: readonly ErrorDetail[];
    };
