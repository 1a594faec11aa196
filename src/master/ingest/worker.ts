import { parentPort, workerData } from 'node:worker_threads';
import { toWire } from '../../common/wire-error.ts';
import { TokenWatch } from '../tokens/token-watch.ts';
import { decodeV1, decodeV2, inflate, parseJson } from './decode.ts';
import { Merger } from './merger.ts';
import type { OperationName, Operations, Question, ToMain, WorkerSetup } from './messages.ts';

/** Rows of the original's database, or of an earlier version, imported between two messages: some 50 ms, so that agents go on syncing. */
const IMPORT_CHUNK = 1000;

const port = parentPort;
if (port === null) throw new Error('this file is the body of a worker thread');
const setup = workerData as WorkerSetup;

function send(message: ToMain): void {
  port?.postMessage(message);
}

let importLeft = 0;

function serve(merger: Merger, tokens: TokenWatch): void {
  const operations: { [K in OperationName]: Operations[K] } = {
    v1: ({ body, gzip, boundAgent }) => merger.v1(decodeV1(parseJson(inflate(body, gzip))), boundAgent),
    v2: ({ body, gzip, boundAgent, local }) =>
      merger.v2(decodeV2(parseJson(inflate(body, gzip))), boundAgent, local === true),
    storeId: () => merger.lots.storeId(),
    lots: (limit, below) => merger.lots.lots(limit, below),
    sealOne: () => {
      const { unsealed } = merger;
      const sealed = merger.sealOne();
      return { unsealed, sealed, waiting: merger.lots.waiting() };
    },
    sealed: () => merger.lots.sealed(),
    rows: (lot, offset, limit) => merger.lots.packedRows(lot, offset, limit),
    flushed: (lot) => merger.lots.flushed(lot),
    tidy: () => merger.tidy(),
    backedUp: (mark) => merger.lots.backedUp(mark),
    backup: () => merger.lots.backup(),
    forgetSome: () => merger.lots.forgetSome(Date.now()),
    beginPruning: (keepMs) => merger.beginPruning(keepMs),
    pruneSome: (part) => merger.pruneSome(part),
    pruned: () => merger.retention.sums(),
    keepTotals: (borders, part) => merger.totals.step(borders, part),
    status: () => ({ metrics: merger.metrics, unsealed: merger.unsealed, importLeft }),
    createToken: (token) => {
      const created = tokens.table.create(token, Date.now());
      tokens.tell();
      return created;
    },
    revokeToken: (id) => {
      const revoked = tokens.table.revoke(id);
      tokens.tell();
      return revoked;
    },
    tokensUsed: (uses) => tokens.table.used(uses),
    close: () => {
      tokens.close();
      merger.close();
    },
  };
  let hurried = false;
  port?.on('message', ({ id, operation, args }: Question) => {
    try {
      const value = (operations[operation] as (...a: unknown[]) => unknown)(...args);
      send({ kind: 'answer', id, value });
      if (operation === 'close') port?.close();
    } catch (error) {
      send({ kind: 'error', id, error: toWire(error) });
    }
    for (const conflict of merger.takeConflicts()) send({ kind: 'conflict', ...conflict });
    const due = merger.unsealed >= setup.hurryRows;
    if (due && !hurried) send({ kind: 'hurry' });
    hurried = due;
  });
}

/** Between two messages, so that neither import nor sync waits for the other to end. */
function importInBackground(merger: Merger): void {
  importLeft = merger.importer.left();
  if (!merger.importer.isAtWork) return;
  const next = () => {
    if (!merger.db.open) return;
    try {
      importLeft = merger.importChunk(IMPORT_CHUNK);
      send({ kind: 'import', left: importLeft });
      if (importLeft > 0) setTimeout(next, 5);
    } catch (error) {
      // Tried again: what was imported is marked, so nothing is imported twice.
      send({ kind: 'failed', error: toWire(error) });
      setTimeout(next, 5000);
    }
  };
  setTimeout(next, 0);
}

try {
  const merger = new Merger({ path: setup.path, reserveLocal: setup.reserveLocal });
  const tokens = new TokenWatch(merger.db, (all) => send({ kind: 'tokens', tokens: all }));
  serve(merger, tokens);
  send({ kind: 'ready' });
  importInBackground(merger);
} catch (error) {
  send({ kind: 'failed', error: toWire(error) });
}
