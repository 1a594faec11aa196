/**
 * Bytes of one direction as a function of time, so that a connection costs nothing between two looks at it and
 * looks the same however often somebody looks. Never falls.
 */
export type Flow =
  /** Goes on at one speed for as long as the connection lives. */
  | { shape: 'rate'; bytesPerSecond: number }
  /** `bytes` after `delayMs`, over `overMs`: evenly, most of it early, or in `steps` equal portions. */
  | { shape: 'even' | 'front' | 'steps'; bytes: number; delayMs: number; overMs: number; steps: number };

export interface Plan {
  download: Flow;
  upload: Flow;
}

/** Bytes moved `elapsed` milliseconds after the connection opened. */
export function bytesAfter(flow: Flow, elapsed: number): number {
  if (flow.shape === 'rate') return Math.floor((flow.bytesPerSecond * elapsed) / 1000);
  const since = elapsed - flow.delayMs;
  if (since < 0) return 0;
  if (since >= flow.overMs) return flow.bytes;
  const x = since / flow.overMs;
  switch (flow.shape) {
    case 'even':
      return Math.floor(flow.bytes * x);
    case 'front':
      return Math.floor(flow.bytes * (1 - (1 - x) ** 3));
    case 'steps':
      return Math.floor((flow.bytes * Math.floor(x * flow.steps)) / flow.steps);
  }
}

export const NO_FLOW: Flow = { shape: 'even', bytes: 0, delayMs: 0, overMs: 0, steps: 1 };
