import { MINUTE_MS, minuteOf, splitOverMinutes, stepFor } from '../../domain/bucket.ts';
import type { Bytes } from '../../domain/connection.ts';
import type { GapReason, Listed, SnapshotDiff } from '../../domain/snapshot.ts';
import { CoreTotals, type CoreTotalsEvents } from './core-totals.ts';
import {
  type BookEntry,
  beginSample,
  isRunning,
  newEntry,
  olderCommitted,
  samplesCommitted,
} from './entry.ts';
import { GapLog } from './gap-log.ts';
import { acceptedIncrease, judgeRun } from './run.ts';
import type { BookChanges, BookState } from './state.ts';

/** Told as it happens, for the console and the log; never awaited. */
export interface BookEvents extends CoreTotalsEvents {
  opened?(entry: BookEntry): void;
  moved?(entry: BookEntry, download: number, upload: number): void;
  closed?(entry: BookEntry): void;
  anomaly?(entry: BookEntry): void;
}

export interface BooksOptions {
  state: BookState;
  /** The connections that were open when the state was committed. */
  open: Iterable<BookEntry>;
  /**
   * A closed connection of that id that the journal still has. A core never lists one again; forks and merged
   * frames might, and its bytes must not count twice then.
   */
  recall?: (id: string) => BookEntry | undefined;
  events?: BookEvents;
}

/**
 * The books: rules A1–A10 as pure code. Fed with snapshot differences and breaks of the feed, they yield samples,
 * totals, gaps and runs; no socket, no SQL, no clock.
 *
 * Invariants: for every connection, Σ of the growth of its samples = counter − base (I1); Σ growth of counted
 * samples + unattributed = accepted increases (I2, by definition of unattributed on the master). Nothing is
 * forgotten before `committed()` is told that the journal has it.
 */
export class Books {
  readonly #open = new Map<string, BookEntry>();
  readonly #recall: (id: string) => BookEntry | undefined;
  readonly #events: BookEvents;
  readonly #state: BookState;
  /** A snapshot of this very feed came before: what is new since then happened since then. */
  #watching = false;
  #version = '';
  #coreOffset = 0;
  #polled = false;
  #firstOfProcess = true;

  /** Those with samples that are no rows of the journal yet; and whether any was booked since the last commit. */
  #unsaved: BookEntry[] = [];
  #grew = false;
  readonly #closed = new Map<string, BookEntry>();
  readonly #totals: CoreTotals;
  readonly #gaps: GapLog;

  /** Counters that fell, against all rules (A2). */
  anomalies = 0;

  constructor(options: BooksOptions) {
    this.#state = options.state;
    this.#recall = options.recall ?? (() => undefined);
    this.#events = options.events ?? {};
    this.#totals = new CoreTotals(options.state, this.#events);
    this.#gaps = new GapLog(options.state);
    for (const entry of options.open) {
      this.#open.set(entry.fields.id, entry);
      if (entry.unsaved !== null) this.#unsaved.push(entry);
    }
  }

  get openCount(): number {
    return this.#open.size;
  }

  get state(): Readonly<BookState> {
    return this.#state;
  }

  openEntries(): IterableIterator<BookEntry> {
    return this.#open.values();
  }

  /**
   * The feed is open. `clockOffsetMs` is the core's clock minus the agent's; `polled` says that the transport
   * cannot prove that the same core process answers each time.
   */
  opened(info: { version: string; clockOffsetMs: number; polled: boolean }): void {
    this.#version = info.version;
    this.#coreOffset = info.clockOffsetMs;
    this.#polled = info.polled;
  }

  /** The feed broke, or a first attempt failed; from here on nothing is watched. */
  broken(reason: GapReason, at: number): void {
    this.#gaps.open(reason, at, this.#firstOfProcess);
    if (this.#state.lastGood !== null) this.#watching = false;
  }

  snapshot(diff: SnapshotDiff): void {
    const totals = { download: diff.downloadTotal, upload: diff.uploadTotal };
    if (this.#state.lastGood === null) {
      this.#attach(diff, totals);
    } else {
      this.#continue(diff, totals, this.#state.lastGood);
    }
    this.#state.lastGood = diff.at;
    this.#state.lastTotals = totals;
    this.#watching = true;
    this.#firstOfProcess = false;
    this.#totals.watchBalance(diff.at);
  }

  /**
   * Counters become bases, for their bytes moved before anybody looked (A4). But those of a journal taken over from
   * the original are checkpoints (A5): what grew since then is booked, and accepted, for no totals cover it.
   */
  #attach(diff: SnapshotDiff, totals: Bytes): void {
    const continued: [Listed, BookEntry][] = [];
    let from = 0;
    for (const listed of diff.added) {
      const known = this.#recall(listed.fields.id);
      if (known !== undefined) {
        // From the minute after its old sample on, which goes by the original's wire.
        from = Math.max(from, (minuteOf(known.closedAt ?? 0) + 1) * MINUTE_MS);
        continued.push([listed, known]);
        continue;
      }
      const counter = { download: listed.download, upload: listed.upload };
      const entry = newEntry(listed.fields, listed.counted, counter);
      this.#admit(listed, entry);
      this.#sample(entry, minuteOf(diff.at));
    }
    from = Math.min(from, diff.at);
    const step = stepFor(minuteOf(diff.at) - minuteOf(from));
    const counted = { download: 0, upload: 0 };
    for (const [listed, entry] of continued) {
      this.#open.set(entry.fields.id, entry);
      listed.note = entry;
      this.#reopened(entry);
      this.#grow(entry, listed, from, diff.at, true, step, counted);
    }
    this.#state.lastTotals = totals;
    this.#totals.beginRun(diff.at, this.#version, 'first');
    this.#totals.accept(counted, from, diff.at, step);
    this.#state.runCounted = counted;
    this.#totals.reach(minuteOf(diff.at));
  }

  #continue(diff: SnapshotDiff, totals: Bytes, lastGood: number): void {
    const watched = this.#watching;
    // A clock that was set back (AgentClock) leaves no interval to split over.
    const from = Math.min(lastGood, diff.at);
    const removed = this.#removed(diff);
    const known = this.#open.size - removed.length;
    const fell = fellBelow(totals, this.#state.lastTotals);
    const verdict = judgeRun({
      // Polling cannot prove that the same process answers; fallen totals without a known id are a new one.
      unbroken: watched && !(this.#polled && fell && known === 0),
      before: this.#state.lastTotals,
      now: totals,
      knownListed: known,
    });
    if (!watched) this.#gaps.close(from, diff.at);
    if (verdict === 'restarted' || verdict === 'ambiguous') this.#totals.endRun(minuteOf(from));

    const step = stepFor(minuteOf(diff.at) - minuteOf(from));
    const counted = { download: 0, upload: 0 };
    for (const listed of diff.added) this.#add(listed, diff.at, from, watched, step, counted);
    for (const listed of diff.changed) {
      const entry = this.#entryOf(listed);
      if (entry === undefined) this.#add(listed, diff.at, from, watched, step, counted);
      else this.#grow(entry, listed, from, diff.at, !watched, step, counted);
    }
    for (const entry of removed) this.#close(entry, diff.at);

    const increase = acceptedIncrease(verdict, this.#state.lastTotals, totals, counted);
    if (verdict === 'restarted' || verdict === 'ambiguous')
      this.#totals.beginRun(diff.at, this.#version, verdict);
    this.#totals.accept(increase, from, diff.at, step);
    this.#totals.booked(counted);
  }

  /** What is open in the books and not listed any more. The first snapshot of a process lists everything anew. */
  #removed(diff: SnapshotDiff): BookEntry[] {
    if (!this.#firstOfProcess) {
      const entries: BookEntry[] = [];
      for (const listed of diff.removed) {
        const entry = this.#entryOf(listed);
        if (entry !== undefined && entry.closedAt === null) entries.push(entry);
      }
      return entries;
    }
    const listed = new Set(diff.added.map((item) => item.fields.id));
    return [...this.#open.values()].filter((entry) => !listed.has(entry.fields.id));
  }

  #entryOf(listed: Listed): BookEntry | undefined {
    return (listed.note as BookEntry | undefined) ?? this.#open.get(listed.fields.id);
  }

  #admit(listed: Listed, entry: BookEntry): void {
    this.#open.set(entry.fields.id, entry);
    listed.note = entry;
    this.#events.opened?.(entry);
  }

  #add(listed: Listed, at: number, from: number, watched: boolean, step: number, counted: Bytes): void {
    const known = this.#open.get(listed.fields.id) ?? this.#reopen(listed.fields.id);
    if (known !== undefined) {
      listed.note = known;
      if (known.counter.download !== listed.download || known.counter.upload !== listed.upload) {
        this.#grow(known, listed, from, at, !watched, step, counted);
      }
      return;
    }
    const entry = newEntry(listed.fields, listed.counted, { download: 0, upload: 0 });
    this.#admit(listed, entry);
    // A4: bytes first seen after a gap moved since the connection began, or since we last looked.
    const start = listed.fields.start === 0 ? from : listed.fields.start - this.#coreOffset;
    const since = watched ? from : Math.min(Math.max(start, from), at);
    this.#grow(entry, listed, since, at, !watched, step, counted);
    // Newly listed: a sample in its first minute, with zero bytes too, so that the count is exact.
    if (entry.unsaved === null) this.#sample(entry, minuteOf(at));
  }

  #reopen(id: string): BookEntry | undefined {
    // What closed since the last flush the journal still takes for open.
    const entry = this.#closed.get(id) ?? this.#recall(id);
    if (entry === undefined) return undefined;
    this.#open.set(id, entry);
    this.#reopened(entry);
    return entry;
  }

  #reopened(entry: BookEntry): void {
    entry.closedAt = null;
    this.#closed.set(entry.fields.id, entry);
  }

  #grow(
    entry: BookEntry,
    listed: Listed,
    from: number,
    at: number,
    recovered: boolean,
    step: number,
    counted: Bytes,
  ): void {
    const download = this.#delta(entry, 'download', listed.download);
    const upload = this.#delta(entry, 'upload', listed.upload);
    if (download === 0 && upload === 0) return;
    if (entry.counted) {
      counted.download += download;
      counted.upload += upload;
    }
    if (minuteOf(from) === minuteOf(at)) {
      this.#sample(entry, minuteOf(at));
      grow(entry, download, upload, recovered);
    } else {
      const ups = splitOverMinutes(upload, from, at, step);
      splitOverMinutes(download, from, at, step).forEach((share, i) => {
        const up = ups[i]?.bytes ?? 0;
        if (share.bytes === 0 && up === 0) return;
        this.#sample(entry, share.minute);
        grow(entry, share.bytes, up, recovered);
      });
    }
    this.#events.moved?.(entry, download, upload);
  }

  #delta(entry: BookEntry, side: keyof Bytes, raw: number): number {
    const value = raw + entry.carried[side];
    if (value >= entry.counter[side]) return value - entry.counter[side];
    this.anomalies++;
    this.#events.anomaly?.(entry);
    entry.carried[side] = entry.counter[side];
    return raw;
  }

  #sample(entry: BookEntry, minute: number): void {
    if (beginSample(entry, minute)) this.#unsaved.push(entry);
    this.#grew = true;
  }

  #close(entry: BookEntry, at: number): void {
    entry.closedAt = at;
    this.#open.delete(entry.fields.id);
    this.#closed.set(entry.fields.id, entry);
    this.#events.closed?.(entry);
  }

  /** Whether there are samples that the journal has no rows of. */
  get hasUnsaved(): boolean {
    return this.#unsaved.length > 0;
  }

  /** Whether anything but the time of the last snapshot changed since the last commit. */
  get hasChanges(): boolean {
    return this.#grew || this.#closed.size > 0 || this.#totals.hasChanges || this.#gaps.changed.length > 0;
  }

  /** What the journal has to commit now. The books hold on to it until `committed()`. */
  changes(): BookChanges {
    return {
      entries: [...this.#unsaved],
      open: this.#open,
      closed: [...this.#closed.values()],
      totals: this.#totals.changed,
      gaps: this.#gaps.changed,
      runs: this.#totals.runs,
      state: structuredClone(this.#state),
    };
  }

  /**
   * The journal has committed the changes (A1): only now they are forgotten here. Samples of the minute `running` are
   * no rows yet; null when all of them are.
   */
  committed(running: number | null = null): void {
    const still: BookEntry[] = [];
    for (const entry of this.#unsaved) {
      if (isRunning(entry, running)) {
        olderCommitted(entry);
        still.push(entry);
      } else samplesCommitted(entry);
    }
    this.#unsaved = still;
    this.#grew = false;
    this.#closed.clear();
    this.#totals.committed();
    this.#gaps.committed();
  }
}

function grow(entry: BookEntry, download: number, upload: number, recovered: boolean): void {
  entry.counter.download += download;
  entry.counter.upload += upload;
  if (!recovered) return;
  entry.recovered.download += download;
  entry.recovered.upload += upload;
}

function fellBelow(now: Bytes, before: Bytes): boolean {
  return now.download < before.download || now.upload < before.upload;
}
