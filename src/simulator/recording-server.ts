import { setTimeout as sleep } from 'node:timers/promises';
import type { CoreSource } from './core-source.ts';
import type { Dialect } from './dialect.ts';
import { Endpoint, type EndpointOptions } from './endpoint.ts';
import { readRecording } from './replay.ts';

export interface RecordingServerOptions extends Omit<EndpointOptions, 'manual'> {
  /** Path of a recording (`readRecording`). */
  path: string;
  /** What `/version` says, default `mihomo`. */
  dialect?: Dialect;
}

export interface PlayOptions {
  /** Recorded milliseconds a real one, default 1; `Infinity`: without waiting. */
  speed?: number;
  /** How long a message waits for a client before the replay fails, milliseconds; default 10,000. */
  clientMs?: number;
}

const EMPTY = Buffer.from('{"downloadTotal":0,"uploadTotal":0,"connections":null,"memory":0}\n');

/**
 * Serves a recording as if the core were there: every recorded message goes to every client, none is dropped or
 * sent twice, and where the recorded stream closed, the sockets drop and connections are refused until it opened
 * again. The interval that clients ask for changes nothing.
 */
export class RecordingServer implements CoreSource {
  readonly name = 'recording';
  readonly dialect: Dialect;
  readonly #path: string;
  readonly #endpoint: Endpoint;
  #latest: Buffer = EMPTY;
  #at = 0;
  #isOpen = false;
  #stopped = false;

  constructor(options: RecordingServerOptions) {
    this.dialect = options.dialect ?? 'mihomo';
    this.#path = options.path;
    this.#endpoint = new Endpoint(this, { ...options, manual: true, greets: false });
  }

  async start(): Promise<void> {
    await this.#endpoint.listeners.open();
    this.#isOpen = true;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#endpoint.listeners.close();
  }

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

  /** Plays the recording once; resolves when its last message was taken by all clients. */
  async play(options: PlayOptions = {}): Promise<void> {
    const { speed = 1, clientMs = 10_000 } = options;
    let last: number | null = null;
    for await (const event of readRecording(this.#path)) {
      if (last !== null && speed !== Number.POSITIVE_INFINITY)
        await sleep(Math.max(0, event.at - last) / speed);
      if (this.#stopped) return;
      last = event.at;
      this.#at = event.at;
      if ('frame' in event) {
        await this.#until(() => this.clients > 0, clientMs, 'no client connected');
        this.#latest = Buffer.from(event.frame);
        this.#endpoint.broadcast();
        await this.#until(() => this.#drained(), clientMs, 'a client does not read');
      } else if (event.event === 'close') await this.#down();
      else await this.#up();
    }
  }

  clock(): number {
    return this.#at || Date.now();
  }

  frame(): Buffer {
    return this.#latest;
  }

  /** What is past cannot be changed: the following three are answered and do nothing. */
  close(): void {}

  closeAll(): void {}

  reload(): void {}

  async #down(): Promise<void> {
    // Failed attempts to connect were recorded as closes, too.
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#endpoint.listeners.close();
  }

  async #up(): Promise<void> {
    if (this.#isOpen) return;
    await this.#endpoint.listeners.open();
    this.#isOpen = true;
  }

  #drained(): boolean {
    for (const feed of this.#endpoint.feeds) if (!feed.drained) return false;
    return true;
  }

  async #until(condition: () => boolean, ms: number, problem: string): Promise<void> {
    const end = Date.now() + ms;
    while (!condition() && !this.#stopped) {
      if (Date.now() > end) throw new Error(`replay of ${this.#path}: ${problem}`);
      await sleep(2);
    }
  }
}
