import { fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { LongTask, Progress, Report } from './progress.ts';
import { fromWire, toWire, type WireError } from './wire-error.ts';

/** Work by name, as a child process offers it. Arguments and results cross as structured clones. */
// biome-ignore lint/suspicious/noExplicitAny: each operation has arguments of its own
export type ChildOperations = Record<string, (report: Report, ...args: any[]) => unknown>;

type ArgumentsOf<Operation> = Operation extends (report: Report, ...args: infer Args) => unknown
  ? Args
  : never;
type ResultOf<Operation> = Operation extends (...args: never[]) => infer Result ? Awaited<Result> : never;

interface Order {
  operation: string;
  args: unknown[];
}

type FromChild =
  | { kind: 'progress'; progress: Progress }
  | { kind: 'done'; value: unknown }
  | { kind: 'failed'; error: WireError };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs one operation of a module that calls `serveChild`, in a process of its own: for work on whole files that must
 * neither stall this process, nor take its memory, nor open files that it holds locks on (closing any descriptor of
 * a file drops all of a process's locks on it).
 *
 * Rejects with what the operation threw (coded errors keep their code), with the signal's reason, or with an Error
 * when the child died. When it has settled, the child is gone.
 */
export async function runInChild<Operations, Name extends keyof Operations & string>(
  module: URL,
  operation: Name,
  args: ArgumentsOf<Operations[Name]>,
  { signal, report }: LongTask,
): Promise<ResultOf<Operations[Name]>> {
  signal.throwIfAborted();
  const child = fork(module, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  let outcome: FromChild | undefined;
  child.on('message', (message: FromChild) => {
    if (message.kind === 'progress') report(message.progress);
    else outcome = message;
  });
  const end = () => child.kill('SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  try {
    const ended = new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) => resolve(killedBy ?? `code ${code}`));
    });
    const order: Order = { operation, args };
    child.send(order, () => {});
    const how = await ended;
    signal.throwIfAborted();
    if (outcome?.kind === 'done') return outcome.value as ResultOf<Operations[Name]>;
    if (outcome?.kind === 'failed') throw fromWire(outcome.error);
    throw new Error(`the process of "${operation}" ended with ${how}`);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** The child's side: does what it is told, once, and ends. */
export function serveChild(operations: ChildOperations): void {
  // Ctrl-C reaches every process of a terminal; when this one ends is for its parent to say.
  for (const signal of SIGNALS) process.on(signal, () => {});
  process.once('disconnect', () => process.exit(1));
  try {
    // What serves people goes first.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not everywhere allowed, and nothing depends on it.
  }
  const send = (message: FromChild, then: () => void = () => {}) => process.send?.(message, () => then());
  process.once('message', async ({ operation, args }: Order) => {
    const leave = () => process.exit(0);
    try {
      const work = operations[operation];
      if (work === undefined) throw new Error(`there is no operation "${operation}"`);
      const value = await work((progress) => send({ kind: 'progress', progress }), ...args);
      send({ kind: 'done', value }, leave);
    } catch (error) {
      send({ kind: 'failed', error: toWire(error) }, leave);
    }
  });
}
