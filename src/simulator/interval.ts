import type { Dialect } from './dialect.ts';

/**
 * What the core makes of `?interval=`: the upgrade comes before the look at the value, so a bad one cannot be
 * refused any more and has odd ends.
 */
export type Pace =
  /** A message at once, then one every `ms`. */
  | { kind: 'every'; ms: number }
  /** One message, then silence: the ticker panicked, the socket stays open. */
  | { kind: 'once' }
  /** 101, then nothing at all; the socket stays open. */
  | { kind: 'never' }
  /** The handler ends and the socket is dropped, after a message or before it. */
  | { kind: 'drop'; after: 'message' | 'nothing' };

const NS_PER_MS = 1_000_000n;
const INT64_MAX = 2n ** 63n - 1n;

export function paceOf(dialect: Dialect, value: string | null): Pace {
  if (dialect === 'clash-rs') return clashRsPace(value);
  if (value === null || value === '') return { kind: 'every', ms: 1000 };
  const number = /^[+-]?\d+$/.test(value) ? BigInt(value.replace(/^\+/, '')) : null;
  if (number === null || number > INT64_MAX || number < -INT64_MAX - 1n)
    return dialect === 'sing-box' ? { kind: 'drop', after: 'nothing' } : { kind: 'never' };
  // Nanoseconds in 64 bits: a large value wraps around, possibly to one below zero.
  const nanoseconds = BigInt.asIntN(64, number * NS_PER_MS);
  if (nanoseconds <= 0n)
    return dialect === 'sing-box' ? { kind: 'drop', after: 'message' } : { kind: 'once' };
  return { kind: 'every', ms: Number(nanoseconds) / Number(NS_PER_MS) };
}

/** Seconds, and a ticker that does not survive zero. */
function clashRsPace(value: string | null): Pace {
  if (value === null || value === '') return { kind: 'every', ms: 1000 };
  if (!/^\d+$/.test(value)) return { kind: 'drop', after: 'nothing' };
  const seconds = Number(value);
  return seconds === 0 ? { kind: 'drop', after: 'nothing' } : { kind: 'every', ms: seconds * 1000 };
}
