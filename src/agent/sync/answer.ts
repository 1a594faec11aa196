import { MAX_INTEGER, REJECT_CODES, ROW_ORDER, TOKEN } from '../../protocol/constants.ts';
import type { SyncAnswer } from '../../protocol/v2.ts';

const TOKEN_PATTERN = new RegExp(TOKEN.pattern);
const ARRAYS: ReadonlySet<unknown> = new Set(ROW_ORDER);
const CODES: ReadonlySet<unknown> = new Set(REJECT_CODES);

/**
 * Whether a value from outside is the answer of a master: the schema `SyncAnswer` of protocol/v2.ts, written out by
 * hand, because a library that checks schemas takes megabytes of an agent's memory. A test holds the two against each
 * other.
 */
export function isSyncAnswer(value: unknown): value is SyncAnswer {
  return (
    isObject(value) &&
    typeof value.ok === 'boolean' &&
    (value.head_before === null || isToken(value.head_before)) &&
    isCount(value.accepted) &&
    Array.isArray(value.rejected) &&
    value.rejected.every(isRejected) &&
    isCount(value.server_time) &&
    isObject(value.limits) &&
    isCount(value.limits.rows) &&
    isCount(value.limits.bytes)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_INTEGER;
}

function isToken(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.length >= TOKEN.minLength &&
    value.length <= TOKEN.maxLength &&
    TOKEN_PATTERN.test(value)
  );
}

/** `[array, index of the row, code]` */
function isRejected(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 3 &&
    ARRAYS.has(value[0]) &&
    isCount(value[1]) &&
    CODES.has(value[2])
  );
}
