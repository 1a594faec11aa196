/** What the feed's patience is, all in milliseconds. */
export interface FeedLimits {
  /** Silence after which a connection counts as stalled, unless three intervals are longer. */
  silenceMs: number;
  /** For `/version`. */
  answerMs: number;
  /** How often silence and slowness are looked for. */
  checkMs: number;
  /** Ceiling of the first and of every wait before another attempt, and the least one. */
  retryBaseMs: number;
  retryCapMs: number;
  retryFloorMs: number;
  /** The same with a wrong secret: somebody has to change something first. */
  refusedFloorMs: number;
  refusedCapMs: number;
  /** Least time between two changes of the interval, and after one that failed. */
  switchMs: number;
  switchFailedMs: number;
  /** How long polling goes on before a WebSocket is tried again. */
  pollingMs: number;
}

export const FEED_LIMITS: FeedLimits = {
  silenceMs: 10_000,
  answerMs: 10_000,
  checkMs: 500,
  retryBaseMs: 1000,
  retryCapMs: 30_000,
  retryFloorMs: 250,
  refusedFloorMs: 30_000,
  refusedCapMs: 300_000,
  switchMs: 5000,
  switchFailedMs: 60_000,
  pollingMs: 300_000,
};

/** Good snapshots after which a feed counts as well again, and waits start small. */
export const GOOD_ENOUGH = 5;

/** Unreadable snapshots in a row after which whatever answers is taken for no core. */
export const BAD_ENOUGH = 3;

/** How many times its interval a feed may be late: with its second message, and with any. */
export const LATE_FACTOR = 3;
