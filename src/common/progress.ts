/** How far something long is. Bytes; `total` is 0 where nobody can say, and may turn out to be less. */
export interface Progress {
  /** What is being done, as it is shown: `copying records`. */
  step: string;
  done: number;
  total: number;
}

export type Report = (progress: Progress) => void;

export interface LongTask {
  /** Aborted: the work ends soon, leaves everything as it was, and rejects with the signal's reason. */
  signal: AbortSignal;
  report: Report;
}
