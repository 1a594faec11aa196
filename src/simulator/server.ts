import type { SimulatedCore } from './core.ts';
import type { CoreSource } from './core-source.ts';
import { Endpoint, type EndpointOptions } from './endpoint.ts';

export interface SimulatedCoreServerOptions extends EndpointOptions {
  core: SimulatedCore;
  /** Simulated milliseconds a real one, default 1. Nothing advances by itself when `manual`. */
  speed?: number;
}

/**
 * Serves a simulated core on real sockets. The core's time follows real time, or stands still until the caller
 * advances it (`manual`) and pushes messages with `tick`. Faults are methods; each says how it ends.
 */
export class SimulatedCoreServer implements CoreSource {
  readonly name = 'simulated core';
  readonly core: SimulatedCore;
  readonly #endpoint: Endpoint;
  readonly #speed: number;
  #advancedAt: number | null = null;
  #pending: Promise<void> = Promise.resolve();

  constructor(options: SimulatedCoreServerOptions) {
    this.core = options.core;
    this.#speed = options.manual ? 0 : (options.speed ?? 1);
    this.#endpoint = new Endpoint(this, options);
  }

  async start(): Promise<void> {
    await this.#endpoint.listeners.open();
    this.#advancedAt = performance.now();
  }

  async stop(): Promise<void> {
    await this.#pending;
    this.#endpoint.unstall();
    await this.#endpoint.listeners.close();
  }

  /** Base URL of the TCP port, `http://127.0.0.1:PORT`; with TLS `https://…`. */
  get url(): string {
    return this.#endpoint.listeners.url;
  }

  get port(): number {
    return this.#endpoint.listeners.port;
  }

  /** Open feeds. */
  get clients(): number {
    return this.#endpoint.feeds.size;
  }

  /** Messages sent and ticks dropped, over the open feeds. */
  get traffic(): { sent: number; dropped: number } {
    let sent = 0;
    let dropped = 0;
    for (const feed of this.#endpoint.feeds) {
      sent += feed.sent;
      dropped += feed.dropped;
    }
    return { sent, dropped };
  }

  /** The secret asked for from now on; open feeds go on, whatever they came with. */
  get secret(): string {
    return this.#endpoint.secret;
  }

  set secret(value: string) {
    this.#endpoint.secret = value;
  }

  /** One message to every client (for `manual`). */
  tick(): void {
    this.#endpoint.broadcast();
  }

  /**
   * Another process: sockets dropped, connections refused for `downMs`, totals from zero.
   * Resolves when it is back. With `manual` the core itself is back at once, simulated time standing still.
   */
  restart(options: { downMs?: number } = {}): Promise<void> {
    const { downMs = 200 } = options;
    this.#catchUp();
    this.core.restart(downMs * this.#speed);
    this.#pending = (async () => {
      await this.#endpoint.listeners.close();
      await new Promise((resolve) => setTimeout(resolve, downMs));
      await this.#endpoint.listeners.open();
    })();
    return this.#pending;
  }

  /** Drops all connections and refuses new ones until `accept()`; the core itself goes on. */
  refuse(): Promise<void> {
    return this.#endpoint.listeners.close();
  }

  accept(): Promise<void> {
    return this.#endpoint.listeners.open();
  }

  /** Silence without closing, for feeds and requests, until `unstall()`. */
  stall(): void {
    this.#endpoint.stall();
  }

  unstall(): void {
    this.#endpoint.unstall();
  }

  /** Every feed ends in the middle of a message. */
  cutMidFrame(): void {
    for (const feed of this.#endpoint.feeds) feed.cut(this.frame());
  }

  /** Every connection ends with a TCP reset. */
  reset(): void {
    this.#endpoint.listeners.reset();
  }

  /** Messages trickle through at so many bytes a second; `null` ends it. */
  drip(bytesPerSecond: number | null): void {
    this.#endpoint.troubles.dripBytesPerSecond = bytesPerSecond;
  }

  /** Messages are so long under way, in order; 0 ends it. */
  delay(ms: number): void {
    this.#endpoint.troubles.delayMs = ms;
  }

  /** Every request is answered like this (a reverse proxy's 502, a portal's page); `answerNormally()` ends it. */
  answerWith(status: number, body: string, contentType = 'text/html'): void {
    this.#endpoint.canned = { status, body, contentType };
  }

  answerNormally(): void {
    this.#endpoint.canned = null;
  }

  /** The next `count` feeds are accepted and dropped at once: a storm of reconnects. */
  dropConnects(count: number): void {
    this.#endpoint.dropConnects = count;
  }

  get dialect(): CoreSource['dialect'] {
    return this.core.dialect;
  }

  clock(): number {
    this.#catchUp();
    return this.core.clock;
  }

  frame(): Buffer {
    this.#catchUp();
    return this.core.frameBytes();
  }

  close(id: string): void {
    this.#catchUp();
    this.core.close(id);
  }

  closeAll(): void {
    this.#catchUp();
    this.core.closeAll();
  }

  reload(): void {
    this.#catchUp();
    this.core.reload();
  }

  #catchUp(): void {
    if (this.#speed === 0 || this.#advancedAt === null) return;
    const now = performance.now();
    this.core.advance((now - this.#advancedAt) * this.#speed);
    this.#advancedAt = now;
  }
}
