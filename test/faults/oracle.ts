interface Seen {
  download: number;
  upload: number;
}

interface Frame {
  downloadTotal: number;
  uploadTotal: number;
  connections:
    | { id: string; download: number; upload: number; metadata: { type: string; process: string } }[]
    | null;
}

interface Known extends Seen {
  counted: boolean;
  base: Seen;
  /** Of the bytes, those that were first seen after a gap. */
  recovered: Seen;
}

interface State {
  totals: Seen | null;
  /** Listed by the last frame. */
  listed: Set<string>;
  /** Every connection that was ever listed, as last listed. */
  connections: Map<string, Known>;
  accepted: Seen;
  run: { accepted: Seen; counted: Seen };
}

const none = (): Seen => ({ download: 0, upload: 0 });
const SIDES = ['download', 'upload'] as const;

/**
 * What one journal must know, computed from the frames that were shown to its agent and from nothing of the
 * program: counters per connection, and the accepted increases of the totals (A3, A4, A6, A8 of
 * docs/accounting.md). Like the journal it keeps what was flushed and forgets what a crash took.
 */
export class Oracle {
  #state: State = {
    totals: null,
    listed: new Set(),
    connections: new Map(),
    accepted: none(),
    run: { accepted: none(), counted: none() },
  };
  #flushed = this.#state;
  #watching = false;

  get accepted(): Seen {
    return this.#state.accepted;
  }

  get connections(): ReadonlyMap<string, Known> {
    return this.#state.connections;
  }

  broken(): void {
    this.#watching = false;
  }

  flushed(): void {
    this.#flushed = this.#state;
  }

  crashed(): void {
    this.#state = this.#flushed;
    this.#watching = false;
  }

  look(bytes: Buffer): void {
    const frame = JSON.parse(bytes.toString('utf8')) as Frame;
    const before = this.#state;
    const now = { download: frame.downloadTotal, upload: frame.uploadTotal };
    const records = frame.connections ?? [];
    const connections = new Map(before.connections);
    const first = before.totals === null;
    const moved = none();
    for (const { id, download, upload, metadata } of records) {
      const known = connections.get(id);
      const counted = !(metadata.type === 'Inner' && metadata.process === '');
      const base = first ? { download, upload } : (known?.base ?? none());
      const from = known ?? base;
      if (counted) {
        moved.download += download - from.download;
        moved.upload += upload - from.upload;
      }
      const recovered = known?.recovered ?? none();
      const late =
        this.#watching || first
          ? recovered
          : {
              download: recovered.download + download - from.download,
              upload: recovered.upload + upload - from.upload,
            };
      connections.set(id, { download, upload, counted, base, recovered: late });
    }
    const listed = new Set(records.map((record) => record.id));
    const next = { ...before, totals: now, listed, connections };
    if (before.totals !== null) {
      const goesOn = this.#watching || [...before.listed].some((id) => listed.has(id));
      this.#accept(next, before.totals, now, moved, goesOn);
    }
    this.#state = next;
    this.#watching = true;
  }

  #accept(next: State, before: Seen, now: Seen, moved: Seen, goesOn: boolean): void {
    const fell = SIDES.some((side) => now[side] < before[side]);
    const same = SIDES.every((side) => now[side] === before[side]);
    let increase = moved;
    let run = next.run;
    next.accepted = { ...next.accepted };
    if (goesOn || same) {
      if (!fell) increase = { download: now.download - before.download, upload: now.upload - before.upload };
    } else {
      // The old run is over: it never ends with less accepted than was booked.
      for (const side of SIDES) {
        next.accepted[side] += Math.max(0, run.counted[side] - run.accepted[side]);
      }
      run = { accepted: none(), counted: none() };
      if (fell) increase = now;
    }
    next.run = { accepted: { ...run.accepted }, counted: { ...run.counted } };
    for (const side of SIDES) {
      next.accepted[side] += increase[side];
      next.run.accepted[side] += increase[side];
      next.run.counted[side] += moved[side];
    }
  }
}
