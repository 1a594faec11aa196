/**
 * What both sides of the wire must agree on and need while they run. Apart from the schemas, which only masters check
 * bodies with: an agent on a small machine has no memory for a library of schemas.
 */

/** Said in `sender` by agents of this program that use the original's wire for a while; an original says nothing. */
export const V1_SENDER = 'v2';

/** Of `POST /api/v2/sync`; its bodies are described in `v2.ts`. */
export const PROTOCOL_VERSION = 2;

/** Largest counter, time or index on the wire: what a JSON number holds exactly. */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

/** Most rows of all arrays together in one request. */
export const MAX_ROWS = 5000;

/** Batches sent since the last answer that an agent remembers, and names in `inflight`. */
export const MAX_INFLIGHT = 16;

/** What streams, boots and batches are called. */
export const TOKEN = { minLength: 8, maxLength: 64, pattern: '^[0-9A-Za-z_-]+$' } as const;

/** The sample is sent anew after an answer that was not ok: it may have been booked already. */
export const FLAG_AGAIN = 1;
/** The sample was sent before, in a batch that was never answered. */
export const FLAG_SENT_BEFORE = 2;

/** The arrays of a request, in the order in which the master merges them. */
export const ROW_ORDER = ['runs', 'gaps', 'connections', 'samples', 'totals', 'closed', 'lost'] as const;
export type RowArray = (typeof ROW_ORDER)[number];

/** Why a master did not take a row. */
export const REJECT_CODES = [
  'malformed',
  'unknown-connection',
  'too-old',
  'agent-mismatch',
  'value-out-of-range',
] as const;
export type RejectCode = (typeof REJECT_CODES)[number];
