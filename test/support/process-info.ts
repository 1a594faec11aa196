import { existsSync, readFileSync } from 'node:fs';

/** Whether this machine tells about processes in files. */
export const HAS_PROC = existsSync('/proc/self/status');

/** Files mapped into a process: which native libraries it has loaded. */
export function mappedFiles(pid: number): string {
  return readFileSync(`/proc/${pid}/maps`, 'utf8');
}

/** Resident bytes of a process; null where that is not told, or when it has ended. */
export function residentBytes(pid: number): number | null {
  try {
    const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found === null ? null : Number(found[1]) * 1024;
  } catch {
    return null;
  }
}

/** The most that processes had resident while it was watched, by name. */
export class MemoryWatch {
  readonly #peaks = new Map<string, number>();
  readonly #pids = new Map<string, number>();
  readonly #timer = setInterval(() => this.#look(), 200);

  watch(name: string, pid: number): void {
    this.#pids.set(name, pid);
  }

  #look(): void {
    for (const [name, pid] of this.#pids) {
      const bytes = residentBytes(pid) ?? 0;
      this.#peaks.set(name, Math.max(bytes, this.#peaks.get(name) ?? 0));
    }
  }

  /** Ends the watch. Mebibytes by name. */
  end(): Record<string, number> {
    this.#look();
    clearInterval(this.#timer);
    return Object.fromEntries([...this.#peaks].map(([name, bytes]) => [name, Math.round(bytes / 2 ** 20)]));
  }
}
