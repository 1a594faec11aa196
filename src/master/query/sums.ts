import { CodedError } from '../../common/errors.ts';

/** A sum as it comes from the store (null over no rows) as a number; beyond 2^53 it would no longer be exact. */
export function toNumber(value: unknown): number {
  if (value === null || value === undefined) return 0;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new CodedError('query_too_large', `a sum of ${String(value)} is too large to be given exactly`);
  }
  return number;
}
