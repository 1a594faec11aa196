import { emptyFields } from '../../domain/connection.ts';
import type { GapReason, Listed, SnapshotDiff } from '../../domain/snapshot.ts';
import { Books } from './books.ts';
import { type BookEntry, pendingSamples, samplesCommitted } from './entry.ts';
import { type BookChanges, type BookState, emptyState } from './state.ts';

/** Half past noon: everything in these tests happens near it. */
export const T = Date.UTC(2026, 5, 1, 12, 30);
export const MINUTE = T / 60_000;

interface Shown {
  /** Download and upload. */
  bytes: readonly [number, number];
  start?: number;
  overlay?: boolean;
}

export type Table = Record<string, readonly [number, number] | Shown>;

/** A core's table by hand, and the differences that a collector makes of it. */
export class CoreTable {
  #listed = new Map<string, Listed>();
  #fresh = true;

  /** The snapshot of an instant (epoch ms): the totals, and what is listed. */
  diff(at: number, totals: readonly [number, number], table: Table): SnapshotDiff {
    const now = new Map<string, Listed>();
    const diff = { added: [] as Listed[], changed: [] as Listed[], removed: [] as Listed[] };
    for (const [id, value] of Object.entries(table)) {
      const shown: Shown = 'bytes' in value ? value : { bytes: value };
      const [download, upload] = shown.bytes;
      const known = this.#listed.get(id);
      if (known === undefined) {
        const fields = { ...emptyFields(id), start: shown.start ?? 0 };
        const listed = { fields, counted: shown.overlay !== true, download, upload, note: undefined };
        now.set(id, listed);
        diff.added.push(listed);
        continue;
      }
      now.set(id, known);
      if (known.download === download && known.upload === upload) continue;
      Object.assign(known, { download, upload });
      diff.changed.push(known);
    }
    if (!this.#fresh) for (const [id, listed] of this.#listed) if (!now.has(id)) diff.removed.push(listed);
    this.#listed = now;
    this.#fresh = false;
    const [downloadTotal, uploadTotal] = totals;
    return { at, downloadTotal, uploadTotal, ...diff, listed: now.size, skipped: 0 };
  }
}

/** A core's table, its feed, and the books that it is shown to. */
export class Bench {
  books: Books;
  /** All that was committed, in order. */
  readonly committed: BookChanges[] = [];
  /** Remainders that the books warned of. */
  readonly unbalanced: number[] = [];
  #core = new CoreTable();
  #closed: BookEntry[] = [];

  constructor(state: BookState = emptyState(), open: Iterable<BookEntry> = []) {
    this.books = this.#make(state, open);
  }

  #make(state: BookState, open: Iterable<BookEntry>): Books {
    return new Books({
      state,
      open,
      recall: (id) => this.#closed.find((entry) => entry.fields.id === id && entry.closedAt !== null),
      events: { unbalanced: (remainder) => this.unbalanced.push(remainder) },
    });
  }

  opened(clockOffsetMs = 0, polled = false): this {
    this.books.opened({ version: 'v', clockOffsetMs, polled });
    return this;
  }

  /** A snapshot at `T + seconds`: the totals, and what is listed. */
  shows(seconds: number, totals: readonly [number, number], table: Table): this {
    this.books.snapshot(this.#core.diff(T + seconds * 1000, totals, table));
    return this;
  }

  broken(reason: GapReason, seconds: number): this {
    this.books.broken(reason, T + seconds * 1000);
    return this;
  }

  commits(): this {
    const changes = this.books.changes();
    this.committed.push(structuredClone(changes));
    for (const entry of changes.entries) if (entry.key === 0) entry.key = this.committed.length * 1000;
    this.#closed.push(...changes.closed);
    this.books.committed();
    return this;
  }

  /** The process ends without another word and begins again with what was committed. */
  restarts(): this {
    const state = this.committed.at(-1)?.state ?? emptyState();
    const open = new Map<string, BookEntry>();
    for (const changes of this.committed) {
      for (const entry of changes.entries) open.set(entry.fields.id, { ...entry });
      for (const entry of changes.closed) if (entry.closedAt !== null) open.delete(entry.fields.id);
    }
    for (const entry of open.values()) samplesCommitted(entry);
    this.books = this.#make(structuredClone(state), open.values());
    this.#core = new CoreTable();
    return this.opened();
  }

  /** Samples of a connection so far: minute (against 12:30), download, and how much of it is recovered. */
  samples(id: string): [minute: number, download: number, recovered: number][] {
    const byMinute = new Map<number, [number, number, number]>();
    for (const changes of [...this.committed, this.books.changes()]) {
      for (const entry of changes.entries) {
        if (entry.fields.id !== id) continue;
        for (const sample of pendingSamples(entry)) {
          const minute = sample.minute - MINUTE;
          byMinute.set(minute, [minute, sample.download, sample.recoveredDownload]);
        }
      }
    }
    return [...byMinute.values()].sort((a, b) => a[0] - b[0]);
  }

  /** Running sums of accepted download by minute (against 12:30). */
  totals(): [minute: number, download: number][] {
    const byMinute = new Map<number, number>();
    for (const changes of [...this.committed, this.books.changes()]) {
      for (const row of changes.totals) byMinute.set(row.minute - MINUTE, row.download);
    }
    return [...byMinute].sort((a, b) => a[0] - b[0]);
  }

  /** Gaps as they are known now: reason, from and to in seconds since `T`. */
  gaps(): [reason: GapReason, from: number, to: number][] {
    const byId = new Map<number, [GapReason, number, number]>();
    for (const changes of [...this.committed, this.books.changes()]) {
      for (const gap of changes.gaps) {
        byId.set(gap.id, [gap.reason, (gap.from - T) / 1000, (gap.to - T) / 1000]);
      }
    }
    return [...byId.values()];
  }

  get accepted(): readonly [number, number] {
    return [this.books.state.accepted.download, this.books.state.accepted.upload];
  }

  get runs(): number {
    return this.books.state.nextRun - 1;
  }

  entry(id: string): BookEntry | undefined {
    return [...this.books.openEntries()].find((entry) => entry.fields.id === id);
  }
}
