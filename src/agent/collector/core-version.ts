import type { CoreKind } from './sink.ts';
import { bounded } from './text.ts';

export interface CoreVersion {
  version: string;
  kind: CoreKind;
}

export const UNKNOWN_CORE: CoreVersion = { version: '', kind: 'other' };

const MAX_VERSION = 128;

/**
 * What `/version` says: Mihomo `{"meta":true,"version":"v1.19.31"}`, sing-box `{"meta":true,…,"version":"sing-box 1.14.2"}`,
 * clash-rs `{"meta":false,…}`. The number is for people only: unreleased builds all say 1.10.0.
 */
export function readVersion(body: Buffer): CoreVersion {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return UNKNOWN_CORE;
  }
  if (typeof value !== 'object' || value === null) return UNKNOWN_CORE;
  const { meta, version } = value as { meta?: unknown; version?: unknown };
  const text = typeof version === 'string' ? bounded(version, MAX_VERSION) : '';
  if (/^sing-box\b/i.test(text)) return { version: text, kind: 'sing-box' };
  return { version: text, kind: meta === true ? 'mihomo' : 'other' };
}

/**
 * Whether the feed's `interval` may be sent: these two take milliseconds. clash-rs takes seconds and would send one
 * snapshot in 17 minutes; others are not known.
 */
export function takesInterval(kind: CoreKind): boolean {
  return kind === 'mihomo' || kind === 'sing-box';
}

/**
 * The core's clock minus ours, milliseconds, from the `Date` of an answer to a request sent at `sent` and answered
 * at `received` (epoch ms of our clock). `Date` has whole seconds: where the two clocks may be equal, they are taken to be.
 */
export function clockOffset(date: string | undefined, sent: number, received: number): number {
  const at = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(at)) return 0;
  const least = at - received;
  const most = at + 999 - sent;
  return least <= 0 && most >= 0 ? 0 : Math.round((least + most) / 2);
}
