import { type CodedError, ERRORS, type ErrorCode, type ErrorDetail } from '../../common/errors.ts';

/** `{status, data, message}` is the original's; `total_count` and `meta` stand beside the data where there are any. */
export interface Success<T> {
  status: 'success';
  data: T;
  message: null;
  total_count?: number;
  meta?: object;
}

export interface Failure {
  status: 'error';
  /** What there is to say all the same (`/ready`), else null. */
  data: unknown;
  message: string;
  code: ErrorCode;
  hint: string;
  details?: readonly ErrorDetail[];
}

export function success<T>(data: T, beside: { total_count?: number; meta?: object } = {}): Success<T> {
  return { status: 'success', data, message: null, ...beside };
}

export function failure(error: CodedError, data: unknown = null): Failure {
  return {
    status: 'error',
    data,
    message: error.message,
    code: error.code,
    hint: ERRORS[error.code].hint,
    ...(error.details.length > 0 && { details: error.details }),
  };
}
