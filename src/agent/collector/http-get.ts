import type { Agent, ClientRequest } from 'node:http';
import { http } from '../built-in.ts';
import { authorityOf, type CoreTarget, connectTo, describeFailure, headersFor } from './core-target.ts';

export type GetOutcome =
  | { kind: 'answer'; status: number; date: string | undefined; body: Buffer }
  /** Connected or not: no complete answer in time. */
  | { kind: 'silent'; detail: string }
  | { kind: 'failed'; detail: string };

export interface GetOptions {
  timeoutMs: number;
  /** Longest body taken; a longer one is a failure. */
  maxBytes: number;
  /** Keeps the connection; without it every request has its own. */
  agent?: Agent;
}

/** One `GET` of the controller. `done` is called once, never synchronously, and not after the returned function (abort). */
export function get(
  target: CoreTarget,
  path: string,
  options: GetOptions,
  done: (outcome: GetOutcome) => void,
): () => void {
  let over = false;
  const finish = (outcome: GetOutcome) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    // After an answer the socket belongs to the agent again.
    if (outcome.kind !== 'answer') call?.destroy();
    done(outcome);
  };
  const timer = setTimeout(
    () => finish({ kind: 'silent', detail: `no answer to GET ${path} within ${options.timeoutMs} ms` }),
    options.timeoutMs,
  );
  const fail = (error: unknown) => finish({ kind: 'failed', detail: describeFailure(error) });
  let call: ClientRequest | undefined;
  try {
    call = http.request({
      path: `${target.basePath ?? ''}${path}`,
      headers: { ...headersFor(target), host: authorityOf(target) },
      ...(options.agent === undefined
        ? { createConnection: () => connectTo(target) }
        : { agent: options.agent }),
    });
  } catch (error) {
    // A secret with a line break, for one.
    setImmediate(fail, error);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }
  call.on('error', fail);
  call.on('response', (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('error', fail);
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > options.maxBytes)
        fail(new Error(`the answer to GET ${path} is longer than ${options.maxBytes} bytes`));
      else chunks.push(chunk);
    });
    response.on('end', () => {
      const { date } = response.headers;
      finish({ kind: 'answer', status: response.statusCode ?? 0, date, body: Buffer.concat(chunks, size) });
    });
  });
  call.end();
  return () => {
    over = true;
    clearTimeout(timer);
    call.destroy();
  };
}
