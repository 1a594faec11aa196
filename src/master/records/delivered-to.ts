import { MINUTE_MS } from '../../domain/bucket.ts';
import type { AgentRow } from './query.ts';

/**
 * Up to where an agent can have nothing more (epoch ms): the minute of its last snapshot may have arrived in part, or
 * not at all.
 */
export function deliveredTo({ lastSnapshot, bookedTo }: AgentRow): number {
  return lastSnapshot === 0 ? bookedTo + MINUTE_MS : lastSnapshot - (lastSnapshot % MINUTE_MS);
}
