import { CodedError, type ErrorCode, type ErrorDetail } from './errors.ts';

/** An error as data, for the way between threads and processes; `code` null is a failure that nobody foresaw. */
export interface WireError {
  code: ErrorCode | null;
  message: string;
  details: readonly ErrorDetail[];
  retryAfter: number | undefined;
}

export function toWire(error: unknown): WireError {
  if (error instanceof CodedError) {
    const { code, message, details, retryAfter } = error;
    return { code, message, details, retryAfter };
  }
  return { code: null, message: String((error as Error).stack ?? error), details: [], retryAfter: undefined };
}

export function fromWire({ code, message, details, retryAfter }: WireError): Error {
  if (code === null) return new Error(message);
  return new CodedError(code, message, { details, ...(retryAfter === undefined ? {} : { retryAfter }) });
}
