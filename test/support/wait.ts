export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface WaitOptions {
  /** Longest wait, milliseconds; generous, for machines are shared. */
  timeoutMs?: number;
  everyMs?: number;
}

/**
 * Asks again and again until the answer is neither undefined, null nor false, and returns it. What the question throws
 * counts as "not yet", and is told when time is up.
 */
export async function waitFor<T>(
  what: string,
  question: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  { timeoutMs = 30_000, everyMs = 50 }: WaitOptions = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      const answer = await question();
      if (answer !== undefined && answer !== null && answer !== false) return answer;
      last = '';
    } catch (error) {
      last = `: ${(error as Error).message}`;
    }
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}${last}`);
    await sleep(everyMs);
  }
}
