import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DESCRIPTIVE_FIELDS } from '../domain/connection.ts';
import { FLAG_AGAIN, FLAG_SENT_BEFORE, PROTOCOL_VERSION, ROW_ORDER } from './constants.ts';
import { ROW_ARRAYS, SyncAnswer, SyncRequest } from './v2.ts';

/** What agents and masters of this version have agreed on. */
const AGREED = { version: 2, sha256: '31902fba481edc4cb0de7c3994d27776fad14fe635bd8b9a2952c032454a5b44' };

const HELP = `The wire of protocol ${AGREED.version} has changed.
- Agents and masters of released versions must go on understanding each other. Can they? An addition that older ones
  ignore needs no new version: write the new hash below, and say in the commit message why it is compatible.
- Anything else is a new protocol: raise PROTOCOL_VERSION, serve it beside the old one, and pin both.`;

/** Everything that the two sides must agree on, in an order that no refactoring changes. */
function wire(): string {
  return JSON.stringify([
    SyncRequest,
    SyncAnswer,
    ROW_ORDER.map((name) => [name, ROW_ARRAYS[name]]),
    DESCRIPTIVE_FIELDS.map(({ name, type }) => [name, type]),
    { FLAG_AGAIN, FLAG_SENT_BEFORE },
  ]);
}

describe('the wire of protocol 2', () => {
  it('changes only together with its version', () => {
    const sha256 = createHash('sha256').update(wire()).digest('hex');
    expect({ version: PROTOCOL_VERSION, sha256 }, HELP).toEqual(AGREED);
  });

  it('merges arrays in the order that the guarantees stand on', () => {
    expect(ROW_ORDER).toEqual(['runs', 'gaps', 'connections', 'samples', 'totals', 'closed', 'lost']);
  });
});
