// Loaded before the command (`node --import`), in every thread of it: wraps the product's classes where its guarantees
// are decided, so that a process can be killed exactly there. The product itself knows nothing of it.
//
// A point is armed while the process runs, by a file: its path is in FAIL_POINT_FILE, its content
// `<point>\t<pass>\t<id>`. At that pass of the point the process ends itself with SIGKILL.
import { existsSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { DuckDBConnection } from '@duckdb/node-api';
import Database from 'better-sqlite3';
import { Acknowledger } from '../../src/agent/journal/acknowledge.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { Outbox } from '../../src/agent/journal/outbox.ts';
import { Ledger } from '../../src/master/ingest/ledger.ts';
import { Lots } from '../../src/master/ingest/lots.ts';
import { Merger } from '../../src/master/ingest/merger.ts';
import type { Point } from './points.ts';

const FILE = process.env.FAIL_POINT_FILE ?? '';
let armed = '';
let passes = 0;

function pass(point: Point): void {
  if (!existsSync(FILE)) return;
  const order = readFileSync(FILE, 'utf8');
  if (order !== armed) {
    armed = order;
    passes = 0;
  }
  const [name, wanted] = order.split('\t');
  if (name === point && ++passes === Number(wanted)) process.kill(process.pid, 'SIGKILL');
}

// biome-ignore lint/suspicious/noExplicitAny: methods of any class are wrapped alike.
type Method = (this: unknown, ...args: any[]) => unknown;
type Prototype = object;

function wrap(prototype: Prototype, name: string, around: (call: () => unknown) => unknown): void {
  const methods = prototype as Record<string, Method>;
  const original = methods[name];
  if (original === undefined) throw new Error(`there is no ${name} to wrap`);
  methods[name] = function (...args) {
    return around(() => original.apply(this, args));
  };
}

/** Transactions begun in these methods have a point before their commit, and one after it. */
const TRANSACTIONS = [
  [Journal.prototype, 'flush', 'journal flush'],
  [Outbox.prototype, 'sending', 'note of sending'],
  [Acknowledger.prototype, 'ok', 'acknowledgement'],
  [Merger.prototype, 'v2', 'merge'],
  [Merger.prototype, 'importChunk', 'import'],
  [Lots.prototype, 'sealOne', 'seal'],
] as const;

const begun: (typeof TRANSACTIONS)[number][2][] = [];
for (const [prototype, method, name] of TRANSACTIONS) {
  wrap(prototype, method, (call) => {
    begun.push(name);
    try {
      return call();
    } finally {
      begun.pop();
    }
  });
}
/** What `transaction` gives: to be called as it is, or as one that may write from its beginning. */
type Transaction = Method & { immediate: Method };
const transaction = Database.prototype.transaction as unknown as (this: unknown, work: Method) => Transaction;
(Database.prototype as unknown as { transaction: typeof transaction }).transaction = function (work) {
  const name = begun.at(-1);
  if (name === undefined) return transaction.call(this, work);
  const whole = transaction.call(this, function (...args) {
    const result = work.apply(this, args);
    pass(`${name}: before the commit`);
    return result;
  });
  const passing = (begin: Method): Method =>
    function (...args) {
      const result = begin.apply(this, args);
      pass(`${name}: after the commit`);
      return result;
    };
  return Object.assign(passing(whole), { immediate: passing(whole.immediate) });
};

wrap(Ledger.prototype, 'book', (call) => {
  pass('merge: among the rows');
  return call();
});
wrap(Lots.prototype, 'flushed', (call) => {
  pass('lot: committed, not confirmed');
  const result = call();
  pass('lot: confirmed');
  return result;
});

/** DuckDB is only where a master's main thread is. */
if (isMainThread && process.argv.includes('master')) {
  const { DuckDBConnection } = await import('@duckdb/node-api');
  const run = DuckDBConnection.prototype.run;
  DuckDBConnection.prototype.run = async function (this: DuckDBConnection, ...args) {
    const result = await run.apply(this, args);
    // After the facts, before the lot's own row.
    if (args[0].startsWith('INSERT INTO minute ')) pass('lot: in its transaction');
    return result;
  };
}
