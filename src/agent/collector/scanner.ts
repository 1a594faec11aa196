import { MINUTE_MS } from '../../domain/bucket.ts';
import { isCounted } from '../../domain/connection.ts';
import type { Listed, SnapshotDiff } from '../../domain/snapshot.ts';
import { FrameBuffers } from './frame-buffers.ts';
import { FrameTable, ID, START, Tracked, WIDTH } from './frame-table.ts';
import { type FrameProblem, type FrameShape, walkFrame } from './frame-walk.ts';
import { OPEN_BRACE, parseSlice, QUOTE, skipValue } from './json-bytes.ts';
import { readCounters, readId, readRecord } from './reader.ts';
import { layOutRecord, RecordLayout } from './record-layout.ts';
import { RecordMatcher } from './record-matcher.ts';

/** Open connections followed one by one (A10); about 60 MB of descriptions. */
export const MAX_TRACKED = 100_000;

/** How far the closing quote of an id is looked for. */
const ID_REACH = 130;

export type ScanOutcome =
  | { ok: true; diff: SnapshotDiff }
  | { ok: false; problem: FrameProblem; detail: string };

/**
 * Turns frames into differences to the frame before, at the cost of what changed.
 *
 * Always true between frames: `#known` holds exactly the connections listed by the last good frame, with its
 * counters, and `#table` says where in its bytes (which are kept, so nobody may write to them) each record lies. A frame
 * is read into the second table first and adopted only when all of it is good: a bad one changes nothing.
 *
 * The result is that of parsing both frames and comparing: a record listed twice counts as it stands first; a record
 * that cannot be read is skipped and counted, and when it has the id of a known connection, that stays listed
 * with its counters (it was listed: forgetting it would book its bytes again when it is readable again).
 */
export class SnapshotScanner {
  /** Records beyond the bound in all frames so far: their bytes are in the totals only. */
  folded = 0;
  readonly #maxTracked: number;
  readonly #buffers: FrameBuffers;
  readonly #known = new Map<string, Tracked>();
  readonly #layout = new RecordLayout();
  readonly #matcher = new RecordMatcher();
  #table = new FrameTable();
  #next = new FrameTable();
  #before: Buffer = Buffer.alloc(0);
  #frame = 0;
  #lastAt = 0;
  // Of the frame being read:
  #bytes: Buffer = this.#before;
  #cursor = 0;
  #added: Tracked[] = [];
  #addedById = new Map<string, Tracked>();
  #knownSeen = 0;
  #skipped = 0;
  #foldedNow = 0;

  constructor(maxTracked = MAX_TRACKED, buffers = new FrameBuffers()) {
    this.#maxTracked = maxTracked;
    this.#buffers = buffers;
  }

  /** Connections listed by the last good frame. */
  get listed(): number {
    return this.#known.size;
  }

  /**
   * Reads one frame, received at `at` (epoch milliseconds). The buffer is kept until the next good frame, must not be
   * changed, and is given back to the buffers it came from. Never throws.
   */
  scan(bytes: Buffer, at: number): ScanOutcome {
    this.#bytes = bytes;
    this.#begin();
    const shape = walkFrame(bytes, {
      connections: () => this.#begin(),
      record: (start) => this.#record(start),
    });
    const outcome: ScanOutcome = shape.ok ? { ok: true, diff: this.#adopt(shape, at) } : shape;
    if (!outcome.ok) this.#buffers.give(bytes);
    // Only the adopted frame may hold on to its bytes and its connections.
    this.#bytes = this.#before;
    this.#added = [];
    this.#addedById.clear();
    return outcome;
  }

  #begin(): void {
    this.#frame++;
    this.#next.clear();
    this.#cursor = 0;
    this.#added = [];
    this.#addedById.clear();
    this.#knownSeen = 0;
    this.#skipped = 0;
    this.#foldedNow = 0;
  }

  /** Takes the element of `connections` at `start`, and says where it ends; throws or says -1 when it is no JSON. */
  #record(start: number): number {
    const layout = this.#layout;
    if (this.#tryRow(start, this.#cursor)) return layout.end;
    const hinted = this.#rowOfId(this.#guessId(start));
    if (hinted !== this.#cursor && this.#tryRow(start, hinted)) return layout.end;
    if (this.#bytes[start] !== OPEN_BRACE) {
      const end = skipValue(this.#bytes, start);
      if (end < 0) return -1;
      parseSlice(this.#bytes, start, end);
      this.#skipped++;
      return end;
    }
    if (!layOutRecord(this.#bytes, start, layout)) return -1;
    const end = layout.end;
    const found = this.#rowOfId(layout.id);
    if (found !== hinted && found !== this.#cursor && this.#tryRow(start, found)) return end;
    // A failed attempt leaves the layout alone.
    this.#parsed(start, parseSlice(this.#bytes, start, end));
    return end;
  }

  #tryRow(start: number, row: number): boolean {
    if (row < 0 || row >= this.#table.rows) return false;
    if (!this.#matcher.match(this.#bytes, start, this.#table, row, this.#layout)) return false;
    this.#cursor = row + 1;
    const tracked = this.#table.tracked[row]!;
    if (this.#firstTime(tracked)) {
      this.#next.add(start, this.#layout, tracked, this.#matcher.download, this.#matcher.upload);
    }
    return true;
  }

  #parsed(start: number, value: unknown): void {
    const id = readId(value);
    const tracked = id === undefined ? undefined : (this.#known.get(id) ?? this.#addedById.get(id));
    if (id === undefined || (tracked === undefined && readCounters(value) === undefined)) this.#skipped++;
    else if (tracked === undefined) this.#unknown(start, id, value);
    else {
      const counters = readCounters(value);
      if (counters === undefined) this.#skipped++;
      if (tracked.row >= 0) this.#cursor = tracked.row + 1;
      if (this.#firstTime(tracked) && counters !== undefined) {
        this.#next.add(start, this.#layout, tracked, counters.download, counters.upload);
      }
    }
  }

  #unknown(start: number, id: string, value: unknown): void {
    if (this.#known.size + this.#added.length >= this.#maxTracked) {
      this.#foldedNow++;
      return;
    }
    const reading = readRecord(value);
    if (reading === undefined) return;
    const { fields, download, upload } = reading;
    const tracked = new Tracked(fields, isCounted(fields), download, upload, this.#frame);
    this.#added.push(tracked);
    this.#addedById.set(id, tracked);
    this.#next.add(start, this.#layout, tracked, download, upload);
  }

  /** Whether this frame lists a known connection for the first time. */
  #firstTime(tracked: Tracked): boolean {
    if (tracked.seen === this.#frame) return false;
    tracked.seen = this.#frame;
    this.#knownSeen++;
    return true;
  }

  /** Where the id should be, seen from the record that was here last time; only ever a guess. */
  #guessId(start: number): number {
    const { rows, positions } = this.#table;
    if (rows === 0) return -1;
    const base = Math.min(this.#cursor, rows - 1) * WIDTH;
    return positions[base + ID]! < 0 ? -1 : start + positions[base + ID]! - positions[base + START]!;
  }

  /** The row of the connection whose id seems to begin here. */
  #rowOfId(at: number): number {
    if (at <= 0 || this.#bytes[at - 1] !== QUOTE) return -1;
    const end = Math.min(this.#bytes.length, at + ID_REACH);
    for (let i = at; i < end; i++) {
      if (this.#bytes[i] === QUOTE) return this.#known.get(this.#bytes.toString('latin1', at, i))?.row ?? -1;
    }
    return -1;
  }

  #adopt(shape: FrameShape, at: number): SnapshotDiff {
    const removed = this.#removeUnlisted();
    for (const tracked of this.#added) this.#known.set(tracked.fields.id, tracked);
    const changed: Listed[] = [];
    const next = this.#next;
    const { counters, tracked: list } = next;
    for (let row = 0; row < next.rows; row++) {
      const tracked = list[row]!;
      const download = counters[2 * row]!;
      const upload = counters[2 * row + 1]!;
      tracked.row = row;
      if (tracked.download !== download || tracked.upload !== upload) {
        tracked.download = download;
        tracked.upload = upload;
        changed.push(tracked);
      }
    }
    next.trim();
    this.#next = this.#table;
    this.#next.tracked = [];
    this.#table = next;
    this.#buffers.give(this.#before);
    this.#before = this.#bytes;
    this.#matcher.before = this.#bytes;
    this.folded += this.#foldedNow;
    this.#lastAt = this.#timeOf(at);
    return {
      at: this.#lastAt,
      downloadTotal: shape.downloadTotal,
      uploadTotal: shape.uploadTotal,
      added: this.#added,
      changed,
      removed,
      listed: this.#known.size,
      skipped: this.#skipped,
    };
  }

  /** Time does not run backwards within a minute; a longer way back is a clock that was corrected on purpose. */
  #timeOf(at: number): number {
    return at < this.#lastAt && this.#lastAt - at < MINUTE_MS ? this.#lastAt : at;
  }

  #removeUnlisted(): Listed[] {
    const removed: Listed[] = [];
    const strays = this.#known.size - this.#knownSeen;
    const rowless = this.#next.rows - this.#added.length < this.#knownSeen;
    if (strays === 0 && !rowless) return removed;
    for (const [id, tracked] of this.#known) {
      // Rows of the frame before mean nothing from now on; those listed get theirs after this.
      tracked.row = -1;
      if (tracked.seen === this.#frame) continue;
      this.#known.delete(id);
      removed.push(tracked);
    }
    return removed;
  }
}
