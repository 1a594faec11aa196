import type { Reply } from '../api-answer.ts';
import type { ValuesOf } from '../config/values.ts';

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
  if (url === undefined) return (await import('./master-at-rest.ts')).masterAtRest(database);
  const { MasterClient } = await import('../master-client.ts');
  const master = new MasterClient({ url, token, ca });
  return {
    notes: [],
    ask: (path, body, signal) => master.ask(path, body, signal),
    close: async () => {},
  };
}
