import { CodedError, ERRORS, type ErrorCode, type ErrorDetail } from '../common/errors.ts';

/** What the API said, parsed; null where it is no JSON. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** A success of the API, as it came. */
export interface Answered<Data, Meta = unknown> {
  readonly status: 'success';
  readonly data: Data;
  readonly meta: Meta;
}

/** The success of an answer; throws what it says instead, by its code. `from`: who answered. */
export function successOf<Data, Meta = unknown>(reply: Reply, from: string): Answered<Data, Meta> {
  const { status, body } = reply;
  if (status === 200 && (body as { status?: string } | null)?.status === 'success') {
    return body as Answered<Data, Meta>;
  }
  throw failureOf(reply, from);
}

/** The failure that an answer tells of, where this program knows its code. */
export function failureOf({ status, body }: Reply, from: string): CodedError {
  const answer = (body ?? {}) as { code?: string; message?: string; details?: readonly ErrorDetail[] };
  const { code = '', message = '', details = [] } = answer;
  if (message === '' || !Object.hasOwn(ERRORS, code)) {
    return new CodedError('master_unreachable', `${from} answered ${status}, not as a master does`);
  }
  return new CodedError(code as ErrorCode, message, { details });
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
