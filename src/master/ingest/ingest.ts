import type { Component } from '../../common/component.ts';
import type { SyncAnswer } from '../../protocol/v2.ts';

/** A body as it arrived; inflating, parsing and validating is the ingest's own work, off the HTTP thread. */
export interface Delivery {
  /** Given away with the call: nobody may read it afterwards. */
  body: Uint8Array;
  gzip: boolean;
  /** The agent that the credential is bound to; null for credentials that may act as any agent. */
  boundAgent: string | null;
  /** From the agent inside this master, the only one that may use its id. */
  local?: boolean;
}

/**
 * Takes what agents deliver. Both methods answer only after the data is durable (committed with
 * `synchronous=FULL`). Throws CodedError: `body_invalid`, `body_too_large`, `bad_request`, `agent_id_reserved`,
 * `busy`.
 */
export interface Ingest extends Component {
  /** The original's `POST /api/v1/sync`; resolves to the number of records given (as the original answers). */
  v1(delivery: Delivery): Promise<{ count: number }>;
  v2(delivery: Delivery): Promise<SyncAnswer>;
}
