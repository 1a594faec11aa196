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
  /**
   * Wrong or missing token, or one without the right: keep everything, say so loudly, try every five minutes. `hint`:
   * what the master says is to be done, empty where it says nothing.
   */
  | { kind: 'denied'; status: number; reason: string; hint: string }
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
  const texts = textsOf(body, 'code', 'message');
  return texts === null ? body.slice(0, 100) : texts.join(': ').slice(0, 300);
}

function hintOf(body: string): string {
  return (textsOf(body, 'hint')?.[0] ?? '').slice(0, 300);
}

/** Those of the named fields that are texts; null where the body is no envelope of a master. */
function textsOf(body: string, ...names: string[]): string[] | null {
  try {
    const envelope = JSON.parse(body) as Record<string, unknown> | null;
    return names.map((name) => envelope?.[name]).filter((value) => typeof value === 'string');
  } catch {
    return null;
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
  if (status === 401 || status === 403) {
    return { kind: 'denied', status, reason: messageOf(reply.body), hint: hintOf(reply.body) };
  }
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
