import type { ConnectionFields } from '../../domain/connection.ts';
import type { Listed } from '../../domain/snapshot.ts';
import type { RecordLayout } from './record-layout.ts';

/** A connection that the scanner follows; the books see it as `Listed`. */
export class Tracked implements Listed {
  download: number;
  upload: number;
  readonly fields: ConnectionFields;
  readonly counted: boolean;
  /** Number of the last frame that listed it. */
  seen: number;
  /** Row in the table of the last good frame; -1 when that frame had no readable record of it. */
  row = -1;
  note: object | undefined = undefined;

  constructor(fields: ConnectionFields, counted: boolean, download: number, upload: number, seen: number) {
    this.fields = fields;
    this.counted = counted;
    this.download = download;
    this.upload = upload;
    this.seen = seen;
  }
}

/** Integers of a row: positions in the frame's bytes. */
export const START = 0;
export const END = 1;
export const FIRST_FROM = 2;
export const FIRST_TO = 3;
export const SECOND_FROM = 4;
export const SECOND_TO = 5;
export const ID = 6;
export const UPLOAD_FIRST = 7;
export const WIDTH = 8;

/**
 * The records of one frame in its order: where their parts lie, whose they are, and their counters. Numbers are
 * in typed arrays, so that 10,000 records are a few objects for the garbage collector and nothing is copied.
 */
export class FrameTable {
  rows = 0;
  /** WIDTH integers a row. */
  positions = new Int32Array(WIDTH * 256);
  /** Counters a row: download, upload. */
  counters = new Float64Array(2 * 256);
  tracked: Tracked[] = [];

  clear(): void {
    this.rows = 0;
  }

  /** Forgets connections of longer frames before this one. */
  trim(): void {
    this.tracked.length = this.rows;
  }

  add(start: number, layout: RecordLayout, of: Tracked, download: number, upload: number): void {
    const row = this.rows++;
    if (row * WIDTH >= this.positions.length) this.#grow();
    const base = row * WIDTH;
    const positions = this.positions;
    positions[base + START] = start;
    positions[base + END] = layout.end;
    positions[base + FIRST_FROM] = layout.firstFrom;
    positions[base + FIRST_TO] = layout.firstTo;
    positions[base + SECOND_FROM] = layout.secondFrom;
    positions[base + SECOND_TO] = layout.secondTo;
    positions[base + ID] = layout.id;
    positions[base + UPLOAD_FIRST] = layout.uploadFirst ? 1 : 0;
    this.counters[2 * row] = download;
    this.counters[2 * row + 1] = upload;
    this.tracked[row] = of;
  }

  #grow(): void {
    const positions = new Int32Array(this.positions.length * 2);
    positions.set(this.positions);
    this.positions = positions;
    const counters = new Float64Array(this.counters.length * 2);
    counters.set(this.counters);
    this.counters = counters;
  }
}
