import type { FrameBuffers } from './frame-buffers.ts';

const FINAL = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
/** Opcodes from here on are control frames, at most 125 bytes long. */
const CONTROL = 8;
const LONGEST_CONTROL = 125;

export type MessageProblem = 'closed' | 'malformed' | 'too-long';

export interface MessageEvents {
  /** A whole message, in a buffer of the pool that is the receiver's from now on. */
  message(bytes: Buffer): void;
  /** Nothing after this can be understood; told once. */
  problem(problem: MessageProblem): void;
}

/**
 * Puts the messages of a WebSocket together from what arrives, the server's side only (RFC 6455, 5.2). Every byte is
 * copied once, into the buffer in which the whole message will stand: a library that keeps the pieces until the
 * message is complete makes garbage of twice its size.
 */
export class MessageReader {
  readonly #buffers: FrameBuffers;
  readonly #maxBytes: number;
  readonly #events: MessageEvents;
  /** The head of a frame may arrive in pieces, too. */
  readonly #head = Buffer.alloc(10);
  #headLength = 0;
  #opcode = 0;
  #final = false;
  /** Payload of the frame that is arriving; null between frames. */
  #payload: Buffer | null = null;
  #filled = 0;
  /** Earlier frames of a message in several. */
  #fragments: Buffer[] = [];
  #over = false;

  constructor(buffers: FrameBuffers, maxBytes: number, events: MessageEvents) {
    this.#buffers = buffers;
    this.#maxBytes = maxBytes;
    this.#events = events;
  }

  /** Takes what arrived; the chunk is not kept. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (!this.#over) {
      if (this.#payload === null) {
        if (at === chunk.length) return;
        this.#head[this.#headLength++] = chunk[at++]!;
        this.#readHead();
      }
      if (this.#payload === null || this.#over) continue;
      const length = Math.min(chunk.length - at, this.#payload.length - this.#filled);
      this.#payload.set(chunk.subarray(at, at + length), this.#filled);
      at += length;
      this.#filled += length;
      if (this.#filled < this.#payload.length) return;
      this.#frame(this.#payload);
    }
  }

  #readHead(): void {
    const head = this.#head;
    if (this.#headLength < 2) return;
    const short = head[1]! & ~MASKED;
    if (this.#headLength < (short < 126 ? 2 : short === 126 ? 4 : 10)) return;
    const length =
      short < 126 ? short : short === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
    this.#headLength = 0;
    this.#opcode = head[0]! & 0x0f;
    this.#final = (head[0]! & FINAL) !== 0;
    const begun = this.#fragments.length > 0;
    const control = this.#opcode >= CONTROL;
    const known = control
      ? this.#final && length <= LONGEST_CONTROL
      : begun
        ? this.#opcode === CONTINUATION
        : this.#opcode === TEXT || this.#opcode === BINARY;
    if ((head[0]! & RESERVED) !== 0 || (head[1]! & MASKED) !== 0 || !known) {
      this.#end('malformed');
      return;
    }
    const before = this.#fragments.reduce((sum, fragment) => sum + fragment.length, 0);
    if (before + length > this.#maxBytes) {
      this.#end('too-long');
      return;
    }
    this.#payload = this.#buffers.take(length);
    this.#filled = 0;
  }

  #frame(payload: Buffer): void {
    this.#payload = null;
    if (this.#opcode === CLOSE) {
      this.#end('closed');
      return;
    }
    if (this.#opcode > CONTROL) {
      // A ping: the core never reads, so there is nobody to answer.
      this.#buffers.give(payload);
      return;
    }
    if (this.#final && this.#fragments.length === 0) {
      this.#events.message(payload);
      return;
    }
    this.#fragments.push(payload);
    if (!this.#final) return;
    const whole = Buffer.concat(this.#fragments);
    for (const fragment of this.#fragments.splice(0)) this.#buffers.give(fragment);
    this.#events.message(whole);
  }

  #end(problem: MessageProblem): void {
    this.#over = true;
    this.#events.problem(problem);
  }
}
