import { byteSize } from '../common/byte-size.ts';
import { MINUTE_MS } from '../domain/bucket.ts';
import { formatTime } from '../domain/time.ts';
import type { Readiness, ReadinessState } from '../master/http/readiness.ts';
import type { FlusherState } from '../master/store/flusher.ts';
import type { MaintenanceState } from '../master/store/maintenance.ts';
import type { MissingFacts } from '../master/store/store.ts';

/** What each reason for missing facts asks of whoever reads it. */
const REMEDY: Readonly<Record<MissingFacts['reason'], string>> = {
  'not-kept': 'put back a facts file that has them, if there is one',
  'rolled-off': 'put back a facts file that has them, if there is one',
  rebuilt: 'put back a copy of the facts file from before it was rebuilt, if there is one',
};

/** Everything that is wrong with the facts in one answer, worst first: what one thing hides is found too late. */
export function factsReadiness(flusher: FlusherState, maintenance: MaintenanceState): Readiness {
  const problems = [
    ...damage(maintenance),
    ...freshness(flusher),
    ...order(maintenance),
    ...missing(maintenance),
  ];
  const state: ReadinessState =
    maintenance.damage !== null ? 'error' : problems.length > 0 ? 'warning' : 'ok';
  const values = { ...valuesOf(flusher, maintenance), ...missingValues(maintenance.missing) };
  return problems.length > 0 ? { state, reason: problems.join('; '), values } : { state, values };
}

function damage({ damage }: MaintenanceState): string[] {
  if (damage === null) return [];
  return [
    `the facts file is damaged: ${damage}. Stop the master and put back a copy of it; without one, "facts rebuild --from-records" makes a coarse one`,
  ];
}

function freshness({ ok, error }: FlusherState): string[] {
  if (error !== null) return [`facts are not fresh: ${error}`];
  return ok ? [] : ['the first flush is not done yet'];
}

function order({ error, overBudget }: MaintenanceState): string[] {
  return [
    ...(error === null ? [] : [`facts are not kept in order: ${error}`]),
    ...(overBudget ? ['facts use more than --facts-budget, and no more of them can be dropped'] : []),
  ];
}

function missing({ missing }: MaintenanceState): string[] {
  const by = new Map<string, MissingFacts[]>();
  for (const one of missing) by.set(REMEDY[one.reason], [...(by.get(REMEDY[one.reason]) ?? []), one]);
  return [...by].map(([remedy, facts]) => {
    const { from, to, bytes } = extentOf(facts);
    return `facts of ${byteSize(bytes)} between ${from} and ${to} are missing: ${remedy}`;
  });
}

function extentOf(missing: readonly MissingFacts[]): { from: string; to: string; bytes: number } {
  const at = (minute: number) => formatTime(minute * MINUTE_MS);
  return {
    from: at(Math.min(...missing.map(({ from }) => from))),
    to: at(Math.max(...missing.map(({ to }) => to))),
    bytes: missing.reduce((sum, { download, upload }) => sum + download + upload, 0),
  };
}

function missingValues(missing: readonly MissingFacts[]): Record<string, number | string> {
  if (missing.length === 0) return {};
  const { from, to } = extentOf(missing);
  return {
    missing_lots: missing.reduce((sum, { firstLot, lastLot }) => sum + lastLot - firstLot + 1, 0),
    missing_from: from,
    missing_to: to,
    missing_download: missing.reduce((sum, { download }) => sum + download, 0),
    missing_upload: missing.reduce((sum, { upload }) => sum + upload, 0),
  };
}

/** `minutes_from`, `half_hours_from`: where retention has cut, epoch ms as all times here; null where it has not. */
function valuesOf(flusher: FlusherState, { coverage, checkedAt, lastRoundAt }: MaintenanceState) {
  const cut = (wholeFrom = 0) => (wholeFrom === 0 ? null : wholeFrom * MINUTE_MS);
  return {
    waiting: flusher.waiting,
    last_flush: flusher.lastFlushAt,
    fresh_to: flusher.freshTo,
    last_maintenance: lastRoundAt,
    last_check: checkedAt,
    minutes_from: cut(coverage?.tiers.minute.wholeFrom),
    half_hours_from: cut(coverage?.tiers.half_hour.wholeFrom),
  };
}
