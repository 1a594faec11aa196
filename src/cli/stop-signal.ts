/** Calls back when the process is told to stop (SIGINT, SIGTERM, SIGHUP); a second signal ends it at once. */
export function onStopSignal(stop: (signal: string) => void): void {
  let told = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (told) process.exit(1);
      told = true;
      stop(signal);
    });
  }
}
