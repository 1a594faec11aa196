import {
  END,
  FIRST_FROM,
  FIRST_TO,
  type FrameTable,
  ID,
  SECOND_FROM,
  SECOND_TO,
  START,
  UPLOAD_FIRST,
  WIDTH,
} from './frame-table.ts';
import type { RecordLayout } from './record-layout.ts';

/** Below this many bytes a loop beats the call into Buffer.compare. */
const SHORT = 32;

/** Decimal digits of the largest counter. */
const MAX_DIGITS = 16;

/**
 * Recognises a record of the frame before by its bytes. Where everything but the digits of the two counters is
 * the same, the text is valid JSON of the same structure, hence the same id and the same end: a parser that reads it is
 * in the same state before and after each number. So nothing needs to be parsed or even looked at.
 */
export class RecordMatcher {
  /** Of the record recognised last. */
  download = 0;
  upload = 0;
  #before: Buffer = Buffer.alloc(0);
  #digitsEnd = 0;

  /** The bytes that the rows of the table given to `match` point into. */
  set before(bytes: Buffer) {
    this.#before = bytes;
  }

  /** Whether the bytes from `start` on are the record of that row; fills `into` and the counters when they are. */
  match(bytes: Buffer, start: number, table: FrameTable, row: number, into: RecordLayout): boolean {
    const positions = table.positions;
    const base = row * WIDTH;
    const oldStart = positions[base + START]!;
    const oldEnd = positions[base + END]!;
    const id = positions[base + ID]!;
    const firstFrom = positions[base + FIRST_FROM]!;
    if (firstFrom < 0) {
      if (!this.#same(bytes, start, oldStart, oldEnd)) return false;
      into.forgetCounters();
      into.end = start + oldEnd - oldStart;
      into.id = id < 0 ? -1 : id - oldStart + start;
      this.download = table.counters[2 * row]!;
      this.upload = table.counters[2 * row + 1]!;
      return true;
    }
    if (!this.#same(bytes, start, oldStart, firstFrom)) return false;
    const from = start + firstFrom - oldStart;
    const first = this.#digits(bytes, from);
    if (first < 0) return false;
    const to = this.#digitsEnd;
    const firstTo = positions[base + FIRST_TO]!;
    const secondFrom = positions[base + SECOND_FROM]!;
    if (!this.#same(bytes, to, firstTo, secondFrom)) return false;
    const from2 = to + secondFrom - firstTo;
    const second = this.#digits(bytes, from2);
    if (second < 0) return false;
    const to2 = this.#digitsEnd;
    const secondTo = positions[base + SECOND_TO]!;
    if (!this.#same(bytes, to2, secondTo, oldEnd)) return false;
    const uploadFirst = positions[base + UPLOAD_FIRST] === 1;
    into.firstFrom = from;
    into.firstTo = to;
    into.secondFrom = from2;
    into.secondTo = to2;
    into.end = to2 + oldEnd - secondTo;
    into.id = id < 0 ? -1 : this.#moved(id, base, positions, into, start);
    into.uploadFirst = uploadFirst;
    this.upload = uploadFirst ? first : second;
    this.download = uploadFirst ? second : first;
    return true;
  }

  /** Where the id is now: each counter before it may have become longer. */
  #moved(id: number, base: number, positions: Int32Array, now: RecordLayout, start: number): number {
    if (id < positions[base + FIRST_FROM]!) return id - positions[base + START]! + start;
    if (id < positions[base + SECOND_FROM]!) return id - positions[base + FIRST_TO]! + now.firstTo;
    return id - positions[base + SECOND_TO]! + now.secondTo;
  }

  /** Whether the bytes from `at` on equal those of the frame before in `[from, to)`. */
  #same(bytes: Buffer, at: number, from: number, to: number): boolean {
    const length = to - from;
    if (at + length > bytes.length) return false;
    const before = this.#before;
    if (length > SHORT) return bytes.compare(before, from, to, at, at + length) === 0;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== before[from + i]) return false;
    return true;
  }

  /** The whole number at `at`, its end in `#digitsEnd`; -1 when it is none that a counter may be. */
  #digits(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + MAX_DIGITS + 1);
    let value = 0;
    let i = at;
    for (; i < end; i++) {
      const digit = bytes[i]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#digitsEnd = i;
    const tooLong = i === at || i - at > MAX_DIGITS || value > Number.MAX_SAFE_INTEGER;
    // JSON knows no leading zeros: the parser shall say so.
    return tooLong || (i - at > 1 && bytes[at] === 0x30) ? -1 : value;
  }
}
