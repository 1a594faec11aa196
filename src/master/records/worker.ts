import { parentPort, workerData } from 'node:worker_threads';
import { CodedError } from '../../common/errors.ts';
import { openReader, type Sqlite } from '../../common/sqlite.ts';
import { Ticker } from './cancellation.ts';
import type { Answer, Question, WorkerInput } from './messages.ts';
import { OPERATIONS } from './operations.ts';
import { addSqlFunctions } from './sql-functions.ts';

/** Answers one question after the other on a connection that cannot write. */
const { path, signal } = workerData as WorkerInput;
const db = openReader(path);
const ticker = new Ticker(db, signal);
addSqlFunctions(db, () => ticker.check());

function answer({ id, operation, args }: Question): Answer {
  ticker.question = id;
  try {
    const operate = OPERATIONS[operation] as (db: Sqlite, ...args: readonly unknown[]) => unknown;
    return { id, ok: true, value: operate(db, ...args) };
  } catch (error) {
    const coded = error instanceof CodedError ? error : null;
    return {
      id,
      ok: false,
      code: coded?.code ?? null,
      message: (error as Error).message,
      details: coded?.details ?? [],
    };
  }
}

parentPort?.on('message', (question: Question) => parentPort?.postMessage(answer(question)));
