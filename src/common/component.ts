/**
 * A component: constructed inert from its configuration and dependencies, begun by `start()`, ended by `stop()`,
 * which may be called twice and at any time after construction. `cli/` starts them in order, stops in reverse.
 */
export interface Component {
  readonly name: string;
  /** One that takes long ends early, and returns, when the signal is aborted. */
  start(signal?: AbortSignal): Promise<void> | void;
  stop(): Promise<void> | void;
}

/**
 * Starts in order; when one fails, those begun are stopped in reverse before the error is passed on. An aborted
 * signal ends it between two components: what was begun is the caller's to stop.
 */
export async function startAll(components: readonly Component[], signal?: AbortSignal): Promise<void> {
  const begun: Component[] = [];
  for (const component of components) {
    if (signal?.aborted) return;
    try {
      begun.push(component);
      await component.start(signal);
    } catch (error) {
      await stopAll(begun, 5000);
      throw error;
    }
  }
}

/**
 * Stops in reverse, each at most until the common deadline (milliseconds): one that hangs must not keep the
 * others from their last flush. Returns the names of those that did not end in time or threw.
 */
export async function stopAll(components: readonly Component[], deadlineMs: number): Promise<string[]> {
  const late: string[] = [];
  const end = Date.now() + deadlineMs;
  for (const component of [...components].reverse()) {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), Math.max(100, end - Date.now()));
    });
    try {
      const outcome = await Promise.race([Promise.resolve(component.stop()), timeout]);
      if (outcome === 'late') late.push(component.name);
    } catch {
      late.push(component.name);
    } finally {
      clearTimeout(timer);
    }
  }
  return late;
}
