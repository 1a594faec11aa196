import { CodedError, ERRORS, type ErrorCode, type ErrorDetail } from '../../common/errors.ts';
import type { ValuesOf } from '../config/values.ts';

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

/** Whoever answers as the API of a master does: one that runs, or its files. */
export interface Answerer {
  /** Below `/api/v1`; a body makes it a POST. Throws CodedError for what the API does not say itself. */
  ask(path: string, body: object | null, signal: AbortSignal): Promise<Reply>;
  /** What else there is to know of the answers. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

export type Asked = Pick<ValuesOf<'top'>, 'url' | 'token' | 'ca' | 'database'>;

/** Asks whom the options name; nothing is loaded that this does not need. */
export async function answererOf({ url, token, ca, database }: Asked): Promise<Answerer> {
  if (url !== undefined) return (await import('./running-master.ts')).runningMaster({ url, token, ca });
  return (await import('./master-at-rest.ts')).masterAtRest(database);
}

/** The success of an answer; throws what it says instead, by its code. */
export function successOf<Data, Meta>({ status, body }: Reply, from: string): Answered<Data, Meta> {
  const answer = (body ?? {}) as {
    status?: string;
    code?: string;
    message?: string;
    details?: readonly ErrorDetail[];
  };
  if (status === 200 && answer.status === 'success') return answer as unknown as Answered<Data, Meta>;
  const { code = '', message = '', details = [] } = answer;
  if (message === '' || !Object.hasOwn(ERRORS, code)) {
    throw new CodedError('master_unreachable', `${from} answered ${status}, not as a master does`);
  }
  throw new CodedError(code as ErrorCode, message, { details });
}
