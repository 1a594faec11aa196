import type { Duplex } from 'node:stream';
import { frameHead } from './websocket.ts';

/** Troubles on the way, shared by all feeds of an endpoint. */
export interface Troubles {
  /** Nothing is sent, nothing is closed. */
  stalled: boolean;
  /** Bytes a second that get through; `null` for all. */
  dripBytesPerSecond: number | null;
  /** How long each message is under way, milliseconds. */
  delayMs: number;
}

const DRIP_MS = 20;
/** Node fires longer timers at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * One client's stream of messages. Never reads: no pong, no answer to a close. A client that does not drain what it
 * was sent misses ticks, as in the core, where a blocked write skips them; nothing is queued but the one message in
 * flight, so a client that resumes first reads a stale one.
 */
export class Feed {
  sent = 0;
  dropped = 0;
  /** Whether messages are due to it at all (a sane interval). */
  ticking = false;
  readonly #socket: Duplex;
  readonly #troubles: Troubles;
  #timer: NodeJS.Timeout | undefined;
  #dripping = false;
  /** Delayed messages, first to arrive first; `at` is when, epoch milliseconds. */
  readonly #underWay: { at: number; payload: Buffer }[] = [];

  constructor(socket: Duplex, troubles: Troubles) {
    this.#socket = socket;
    this.#troubles = troubles;
    socket.pause();
    socket.on('error', () => this.destroy());
    socket.on('close', () => clearInterval(this.#timer));
  }

  /** Whether the system has taken all that was sent. */
  get drained(): boolean {
    return this.#socket.destroyed || this.#socket.writableLength === 0;
  }

  onGone(callback: () => void): void {
    this.#socket.once('close', callback);
  }

  every(ms: number, frame: () => Buffer): void {
    if (ms <= LONGEST_TIMER && !this.#socket.destroyed)
      this.#timer = setInterval(() => this.offer(frame), ms);
  }

  /** Sends the message of this instant, or drops the tick. */
  offer(frame: () => Buffer): void {
    if (this.#socket.destroyed) return;
    if (this.#troubles.stalled || this.#dripping || this.#socket.writableNeedDrain) {
      this.dropped++;
      return;
    }
    this.sent++;
    const payload = frame();
    if (this.#troubles.delayMs === 0 && this.#underWay.length === 0) this.#send(payload);
    else this.#sendLater(payload);
  }

  /** Half of a message, then the end of the connection. */
  cut(payload: Buffer): void {
    this.#socket.write(frameHead(payload.length));
    this.#socket.write(payload.subarray(0, payload.length >> 1), () => this.destroy());
  }

  destroy(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }

  /** Head and payload in two writes, like the core. */
  #send(payload: Buffer): void {
    const head = frameHead(payload.length);
    if (this.#troubles.dripBytesPerSecond !== null) {
      this.#drip(Buffer.concat([head, payload]));
      return;
    }
    this.#socket.write(head);
    this.#socket.write(payload);
  }

  /** In order, also when the delay was shortened in between. */
  #sendLater(payload: Buffer): void {
    const at = Math.max(Date.now() + this.#troubles.delayMs, this.#underWay.at(-1)?.at ?? 0);
    this.#underWay.push({ at, payload });
    if (this.#underWay.length === 1) setTimeout(() => this.#arrive(), Math.max(0, at - Date.now()));
  }

  #arrive(): void {
    const arrived = this.#underWay.shift();
    if (arrived !== undefined && !this.#socket.destroyed && !this.#dripping) this.#send(arrived.payload);
    const next = this.#underWay[0];
    if (next !== undefined) setTimeout(() => this.#arrive(), Math.max(0, next.at - Date.now()));
  }

  #drip(rest: Buffer): void {
    const rate = this.#troubles.dripBytesPerSecond;
    const portion = rate === null ? rest.length : Math.max(1, Math.round((rate * DRIP_MS) / 1000));
    this.#dripping = portion < rest.length;
    if (this.#socket.destroyed) return;
    this.#socket.write(rest.subarray(0, portion));
    if (this.#dripping) setTimeout(() => this.#drip(rest.subarray(portion)), DRIP_MS);
  }
}
