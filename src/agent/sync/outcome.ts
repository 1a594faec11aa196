import type { SyncAnswer } from '../../protocol/v2.ts';
import { isSyncAnswer } from './answer.ts';

/** What came back from the master, or that nothing did. */
export type Reply =
  | { kind: 'answer'; status: number; retryAfterMs: number; body: string }
  | { kind: 'failed'; reason: string };

/** What the agent makes of it. A closed union: the caller cannot forget a case. */
export type Outcome =
  /** Merged, or the head did not match: both are in the answer. */
  | { kind: 'answered'; answer: SyncAnswer }
  /** Keep everything, try again later; sooner when nobody was there to be burdened. */
  | { kind: 'retry'; floorMs: number; reason: string; nobody: boolean }
  /** Smaller batches from now on. */
  | { kind: 'too-large' }
  /** The master cannot read this batch at all. */
  | { kind: 'invalid'; reason: string }
  /** Wrong or missing token: keep everything, say so loudly, try every five minutes. */
  | { kind: 'denied'; status: number; reason: string }
  /** A master without this version of the protocol. */
  | { kind: 'unsupported' };

/** The request never reached anybody. A time-out is not among them: a master may be there and have too much to do. */
const NOBODY: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

function messageOf(body: string): string {
  try {
    const value = JSON.parse(body) as { message?: unknown; code?: unknown };
    return [value.code, value.message]
      .filter((part) => typeof part === 'string')
      .join(': ')
      .slice(0, 300);
  } catch {
    return body.slice(0, 100);
  }
}

/** Decides by the table of docs/sync.md. */
export function judgeReply(reply: Reply): Outcome {
  if (reply.kind === 'failed') {
    return { kind: 'retry', floorMs: 0, reason: reply.reason, nobody: NOBODY.has(reply.reason) };
  }
  const { status } = reply;
  if (status >= 200 && status < 300) return readAnswer(reply.body);
  if (status === 413) return { kind: 'too-large' };
  if (status === 400 || status === 415 || status === 422) {
    return { kind: 'invalid', reason: `${status} ${messageOf(reply.body)}` };
  }
  if (status === 401 || status === 403) return { kind: 'denied', status, reason: messageOf(reply.body) };
  if (status === 404 || status === 405) return { kind: 'unsupported' };
  // 408, 425, 429, 5xx, and whatever a proxy in between invents: nothing is known to be wrong with the data.
  const reason = `${status} ${messageOf(reply.body)}`;
  return { kind: 'retry', floorMs: reply.retryAfterMs, reason, nobody: false };
}

function readAnswer(body: string): Outcome {
  try {
    const envelope = JSON.parse(body) as { data?: unknown };
    if (isSyncAnswer(envelope.data)) return { kind: 'answered', answer: envelope.data };
  } catch {
    // Not JSON: a captive portal or a proxy's page, handled below like any answer that is none.
  }
  return { kind: 'retry', floorMs: 0, reason: 'the answer is not one of a master', nobody: false };
}

/** Milliseconds of a Retry-After header: seconds or an HTTP date; 0 when absent or unreadable. */
export function retryAfterMs(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  if (/^\d+$/.test(header.trim())) return Math.min(Number(header) * 1000, 3_600_000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.min(Math.max(0, at - now), 3_600_000);
}
