import type { CoreFields } from './core-fields.ts';

export interface Bytes {
  download: number;
  upload: number;
}

/** One connection as it really was, listed or never. Times are true epoch milliseconds (without the core's skew). */
export interface TrueConnection extends Readonly<Bytes> {
  readonly id: string;
  readonly fields: CoreFields;
  /** In the core's totals; `false` is overlay. */
  readonly counted: boolean;
  readonly run: TrueRun;
  readonly openedAt: number;
  readonly closedAt: number | null;
  /** Bytes in the last message that listed it; 0 when none did. */
  readonly listedDownload: number;
  readonly listedUpload: number;
  readonly listedAt: number | null;
  /** As the core shows it: the host, else the address. */
  readonly host: string;
  /** Exit node. */
  readonly node: string;
  /** Where datagrams really went when one UDP entry serves several hosts; else empty. */
  readonly destinations: readonly string[];
}

/** The life of one core process: `download` and `upload` are all bytes it ever counted, resets or not. */
export interface TrueRun extends Bytes {
  /** 0 for the first. */
  readonly index: number;
  readonly startedAt: number;
  endedAt: number | null;
  /** The part that belongs to no connection of the truth (`moveUnlisted`). */
  unlistedDownload: number;
  unlistedUpload: number;
  /** Statistics resets, and what had been counted in the run until then. */
  readonly resets: ({ at: number } & Bytes)[];
}

/**
 * What really happened, beside what the core's API shows: a test holds a tracker against it.
 * For every run: sum of its counted connections + unlisted = its bytes, exactly.
 */
export class Truth {
  readonly runs: TrueRun[] = [];
  /** Every connection ever, in order of opening; only open ones when the core forgets closed ones. */
  readonly connections = new Map<string, TrueConnection>();

  get run(): TrueRun {
    const run = this.runs.at(-1);
    if (run === undefined) throw new Error('no run has begun');
    return run;
  }

  beginRun(at: number): void {
    this.runs.push({
      index: this.runs.length,
      startedAt: at,
      endedAt: null,
      download: 0,
      upload: 0,
      unlistedDownload: 0,
      unlistedUpload: 0,
      resets: [],
    });
  }

  /** True bytes of counted connections by host as the core shows it, over all runs or in one. */
  byHost(run?: TrueRun): Map<string, Bytes> {
    return this.#sum((connection) => connection.host, run);
  }

  /** True bytes of counted connections by exit node, over all runs or in one. */
  byNode(run?: TrueRun): Map<string, Bytes> {
    return this.#sum((connection) => connection.node, run);
  }

  /** True bytes of all counted connections, over all runs or in one. */
  counted(run?: TrueRun): Bytes {
    return this.#sum(() => '', run).get('') ?? { download: 0, upload: 0 };
  }

  #sum(key: (connection: TrueConnection) => string, run: TrueRun | undefined): Map<string, Bytes> {
    const sums = new Map<string, Bytes>();
    for (const connection of this.connections.values()) {
      if (!connection.counted || (run !== undefined && connection.run !== run)) continue;
      const name = key(connection);
      const sum = sums.get(name);
      if (sum === undefined) sums.set(name, { download: connection.download, upload: connection.upload });
      else {
        sum.download += connection.download;
        sum.upload += connection.upload;
      }
    }
    return sums;
  }
}
