import { type CoreFields, EMPTY_FIELDS, entersTotals } from './core-fields.ts';
import type { OpenOptions, SimulatedCoreOptions } from './core-options.ts';
import { alwaysUtc, type Dialect } from './dialect.ts';
import { Entry } from './entry.ts';
import { EventQueue } from './event-queue.ts';
import { goTime } from './go-time.ts';
import { type CoreSnapshot, frameBytesOf, frameOf, snapshotOf, type Totals } from './message.ts';
import { Random } from './random.ts';
import { Table } from './table.ts';
import { Traffic } from './traffic.ts';
import { type Bytes, Truth } from './truth.ts';

const DEFAULT_START = Date.UTC(2026, 6, 1);
/** How far the counters of a torn message are ahead of its totals. */
const TEAR_MS = 3;
/** While a reload is under way the core refuses new connections. */
const RELOAD_MS = 1000;

/**
 * A core in simulated time: seeded, no I/O, no clock of its own. Time passes in `advance` only, whose cost depends
 * on what opens and closes; moving bytes cost nothing until somebody looks. The same seed and the same calls give
 * the same history, and the bytes at an instant do not depend on how often one looked before.
 *
 * Invariant: the totals are the sum of all counted connections of the run, closed and never listed ones included
 * (plus `moveUnlisted`, minus what was reset), to the byte.
 */
export class SimulatedCore {
  readonly dialect: Dialect;
  /** Minutes east of UTC; may change in between, as it does with daylight saving time. */
  zoneOffsetMinutes: number;
  /** What the core's clock is ahead, milliseconds; may change in between. */
  skewMs: number;
  /** Resident bytes as the core last noticed: normally never. */
  memory = 0;
  readonly #random: Random;
  readonly #fractionDigits: number;
  readonly #forgetClosed: boolean;
  readonly #events = new EventQueue();
  readonly #truth = new Truth();
  readonly #traffic: Traffic | null;
  #table: Table;
  #now: number;
  #resetBase: Bytes = { download: 0, upload: 0 };
  #withinSnapshot: (() => void)[] = [];
  #acceptsFrom = Number.NEGATIVE_INFINITY;

  constructor(options: SimulatedCoreOptions = {}) {
    this.dialect = options.dialect ?? 'mihomo';
    this.zoneOffsetMinutes = options.zoneOffsetMinutes ?? 0;
    this.skewMs = options.skewMs ?? 0;
    this.#random = new Random(`core ${options.seed ?? 1}`);
    this.#fractionDigits = options.fractionDigits ?? 9;
    this.#forgetClosed = options.forgetClosed ?? false;
    this.#now = options.startAt ?? DEFAULT_START;
    this.#table = new Table(this.#random);
    this.#truth.beginRun(this.#now);
    const profile = options.profile ?? null;
    this.#traffic =
      profile && new Traffic(this, this.#events, profile, new Random(`traffic ${options.seed ?? 1}`));
    this.#traffic?.begin();
  }

  /** True time, epoch milliseconds. */
  get now(): number {
    return this.#now;
  }

  /** What the core believes the time is, epoch milliseconds: for `start` and HTTP `Date`. */
  get clock(): number {
    return this.#now + this.skewMs;
  }

  /** Connections listed now. */
  get size(): number {
    return this.#table.size;
  }

  /** Whether new connections are accepted: not while down and not during a reload. */
  get accepting(): boolean {
    return this.#now >= this.#acceptsFrom;
  }

  /** The core's totals now, bytes. */
  get totals(): Totals {
    this.#settle(this.#now);
    return this.#readTotals();
  }

  /** What really happened up to now. A live object: read what is needed before going on. */
  get truth(): Truth {
    this.#settle(this.#now);
    return this.#truth;
  }

  /** Ids listed now, in the order of the messages. */
  ids(): string[] {
    return this.#table.entries.map((entry) => entry.id);
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#events.next <= end) {
      this.#now = Math.max(this.#now, this.#events.next);
      this.#events.take()?.();
    }
    this.#now = end;
  }

  /** Opens a connection; what the fields leave out is as in `EMPTY_FIELDS`, `start` is now. Returns its id. */
  open(fields: Partial<CoreFields> = {}, options: OpenOptions = {}): string {
    const id = this.#random.uuid();
    const mirrored = options.mirrors === undefined ? null : (this.#table.get(options.mirrors) ?? null);
    const complete = this.#complete(fields);
    const counted = entersTotals(complete);
    const entry = new Entry(id, complete, counted, this.#truth.run, this.#now);
    entry.plan = options.plan ?? null;
    entry.mirrors = mirrored;
    if (mirrored !== null) mirrored.overlay = entry;
    entry.destinations = options.destinations ?? [];
    entry.move(options.download ?? 0, options.upload ?? 0);
    if (options.listed === false) this.#leave(entry);
    else this.#table.add(entry);
    if (options.listed !== false || !this.#forgetClosed) this.#truth.connections.set(id, entry);
    return id;
  }

  /** Moves bytes over an open connection. */
  move(id: string, download: number, upload: number): void {
    const entry = this.#table.get(id);
    if (entry === undefined) throw new Error(`no open connection ${id}`);
    entry.move(download, upload);
  }

  /** Moves bytes that only the totals ever show. */
  moveUnlisted(download: number, upload: number): void {
    const { run } = this.#truth;
    run.download += download;
    run.upload += upload;
    run.unlistedDownload += download;
    run.unlistedUpload += upload;
  }

  /** Moves bytes in the middle of the next message: after it read the totals, before it reads the counters. */
  moveWithinSnapshot(id: string, download: number, upload: number): void {
    this.#withinSnapshot.push(() => this.#table.get(id)?.move(download, upload));
  }

  /** Closes a connection at this instant, after a last burst that no message lists. `false` for an unknown id. */
  close(id: string, late: { lateDownload?: number; lateUpload?: number } = {}): boolean {
    const entry = this.#table.get(id);
    if (entry === undefined) return false;
    entry.settle(this.#now);
    entry.move(late.lateDownload ?? 0, late.lateUpload ?? 0);
    if (entry.overlay !== null) this.close(entry.overlay.id);
    this.#table.remove(entry);
    this.#leave(entry);
    this.#traffic?.closed(id);
    return true;
  }

  /** `DELETE /connections`. Returns how many were closed. */
  closeAll(): number {
    return this.#closeWhere(() => true);
  }

  /** All connections through a provider's nodes end at once, as at every update of a provider. */
  closeProvider(name: string): number {
    return this.#closeWhere((entry) => entry.fields.providerChains.includes(name));
  }

  /** Another node for a group of the profile's world; open connections keep the chain they have. */
  switchProxy(group: string, node: string): void {
    this.#traffic?.switchProxy(group, node);
  }

  /** `PUT /configs`: everything goes on, but nothing opens by itself for a second. */
  reload(): void {
    this.#acceptsFrom = Math.max(this.#acceptsFrom, this.#now + RELOAD_MS);
  }

  /** Another process after `downMs`: totals from zero, an empty table, new ids; nothing opens while it is down. */
  restart(downMs = 0): void {
    this.closeAll();
    const { run } = this.#truth;
    run.endedAt = this.#now;
    this.#events.clear();
    this.#withinSnapshot = [];
    this.#table = new Table(this.#random);
    this.#resetBase = { download: 0, upload: 0 };
    this.#acceptsFrom = this.#now + downMs;
    this.#truth.beginRun(this.#acceptsFrom);
    this.#traffic?.begin(downMs);
  }

  /** What embedding applications do at the push of a button: totals from zero, connections go on. */
  resetStatistics(): void {
    this.#settle(this.#now);
    const { run } = this.#truth;
    run.resets.push({ at: this.#now, download: run.download, upload: run.upload });
    this.#resetBase = { download: run.download, upload: run.upload };
  }

  /** The message of this instant, parsed. Taking it counts as listing. */
  snapshot(): CoreSnapshot {
    return snapshotOf(this.dialect, this.#look(), this.#table.entries);
  }

  /** The message of this instant, as text. Taking it counts as listing. */
  frame(): string {
    return frameOf(this.dialect, this.#look(), this.#table.entries);
  }

  /** The same as UTF-8, the cheapest way to it. */
  frameBytes(): Buffer {
    return frameBytesOf(this.dialect, this.#look(), this.#table.entries);
  }

  /** Totals first, counters a moment later, as the core does: they may be slightly ahead. */
  #look(): Totals {
    this.#settle(this.#now);
    const totals = this.#readTotals();
    for (const move of this.#withinSnapshot.splice(0)) move();
    if (this.#traffic?.tearsNext()) this.#settle(this.#now + TEAR_MS);
    for (const entry of this.#table.entries) {
      entry.listedDownload = entry.download;
      entry.listedUpload = entry.upload;
      entry.listedAt = this.#now;
    }
    return totals;
  }

  #readTotals(): Totals {
    const { download, upload } = this.#truth.run;
    return {
      downloadTotal: download - this.#resetBase.download,
      uploadTotal: upload - this.#resetBase.upload,
      memory: this.memory,
    };
  }

  #settle(at: number): void {
    for (const entry of this.#table.entries) entry.settle(at);
  }

  #closeWhere(matches: (entry: Entry) => boolean): number {
    const ids = this.#table.entries.filter(matches).map((entry) => entry.id);
    // An overlay ends with its connection, so it may be gone when its turn comes.
    for (const id of ids) this.close(id);
    return ids.length;
  }

  #leave(entry: Entry): void {
    entry.closedAt = this.#now;
    entry.text = null;
    entry.plan = null;
    entry.mirrors = null;
    entry.overlay = null;
    if (this.#forgetClosed) this.#truth.connections.delete(entry.id);
  }

  #complete(fields: Partial<CoreFields>): CoreFields {
    return { ...EMPTY_FIELDS, start: this.#start(), ...fields };
  }

  #start(): string {
    const digits = this.#fractionDigits;
    const clock = Math.floor(this.clock);
    const zone = alwaysUtc(this.dialect) ? 0 : this.zoneOffsetMinutes;
    if (digits <= 3) return goTime(clock - (clock % 10 ** (3 - digits)), 0, zone);
    const unit = 10 ** (9 - digits);
    return goTime(clock, this.#random.between(0, 999_999 / unit) * unit, zone);
  }
}
