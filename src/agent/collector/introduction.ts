import type { GapReason } from '../../domain/snapshot.ts';
import type { CoreTarget } from './core-target.ts';
import { type CoreVersion, clockOffset, readVersion, UNKNOWN_CORE } from './core-version.ts';
import { type GetOutcome, get } from './http-get.ts';

export type Introduction =
  | { ok: true; core: CoreVersion; clockOffsetMs: number }
  | { ok: false; reason: GapReason; detail: string };

const MAX_VERSION_BYTES = 65_536;

/** The words for a 401, wherever it comes from. */
export const REFUSED = 'the core refuses the secret';

/** Asks `/version`: whether the core is there, lets us in, which one it is, and what time it has. Answers how to abort. */
export function introduce(
  target: CoreTarget,
  timeoutMs: number,
  now: () => number,
  done: (introduction: Introduction) => void,
): () => void {
  const sent = now();
  const options = { timeoutMs, maxBytes: MAX_VERSION_BYTES };
  return get(target, '/version', options, (outcome) => done(judge(outcome, sent, now())));
}

function judge(outcome: GetOutcome, sent: number, received: number): Introduction {
  if (outcome.kind === 'failed') return { ok: false, reason: 'core-down', detail: outcome.detail };
  if (outcome.kind === 'silent') return { ok: false, reason: 'stalled', detail: outcome.detail };
  const { status, date, body } = outcome;
  if (status === 401) return { ok: false, reason: 'unauthorized', detail: REFUSED };
  if (status >= 500) {
    return { ok: false, reason: 'core-down', detail: `GET /version was answered with status ${status}` };
  }
  // Anything else may be a proxy that lets only the feed through.
  const core = status === 200 ? readVersion(body) : UNKNOWN_CORE;
  return { ok: true, core, clockOffsetMs: clockOffset(date, sent, received) };
}
