import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from '../../common/component.ts';
import type { ConnectionFields } from '../../domain/connection.ts';
import { type ConsoleEvent, consoleLine } from './console-line.ts';
import { DropOldest } from './drop-oldest.ts';
import type { Output, Screen } from './output.ts';

export type ConsoleLevel = 'off' | 'events' | 'traffic';

export interface ConsoleMonitorOptions {
  readonly level: ConsoleLevel;
  readonly screen: Screen;
  /** Lines that wait for a slow reader at most. */
  readonly capacity?: number;
  /** Epoch milliseconds; replaced in tests. */
  readonly now?: () => number;
}

const DEFAULT_CAPACITY = 1000;
/** Lines made in one turn of the event loop (about a quarter of a millisecond), so that collection comes between. */
const LINES_PER_TURN = 50;
/** A reader that takes nothing must not keep the process from ending. */
const STOP_MS = 500;

/**
 * Prints connections as they open, move bytes and close. Whoever watches is a guest: every method returns at once,
 * what a slow reader misses is dropped (oldest first) and counted, and a reader that leaves ends the printing and
 * nothing else.
 */
export class ConsoleMonitor implements Component {
  readonly name = 'console-monitor';
  readonly #level: ConsoleLevel;
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #queue: DropOldest<ConsoleEvent>;
  #output: Output | undefined;
  #scheduled = false;
  /** The output has said "no more" and not yet "go on". */
  #waiting = false;
  /** Takes no more events: stopped, switched off, or the reader is gone. */
  #over: boolean;

  constructor(options: ConsoleMonitorOptions) {
    this.#level = options.level;
    this.#screen = options.screen;
    this.#now = options.now ?? Date.now;
    this.#queue = new DropOldest(options.capacity ?? DEFAULT_CAPACITY);
    this.#over = options.level === 'off';
  }

  /** Events from before the start are printed now. */
  start(): void {
    if (this.#over || this.#output !== undefined) return;
    this.#output = this.#screen.open({
      drained: () => {
        this.#waiting = false;
        this.#schedule();
      },
      ended: () => {
        this.#over = true;
        this.#queue.clear();
      },
    });
    this.#schedule();
  }

  /** Prints what waits, as far as the reader takes it within half a second. */
  async stop(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const output = this.#output;
    if (output === undefined) return;
    const end = performance.now() + STOP_MS;
    while ((this.#queue.length > 0 || output.pending > 0) && performance.now() < end) {
      this.#print();
      if (this.#waiting || output.pending > 0) await sleep(5);
    }
    this.#queue.clear();
    output.close();
  }

  opened(fields: ConnectionFields, _download: number, _upload: number): void {
    if (this.#over) return;
    this.#add({ kind: 'open', at: this.#now(), fields });
  }

  closed(fields: ConnectionFields, download: number, upload: number): void {
    if (this.#over) return;
    this.#add({ kind: 'close', at: this.#now(), fields, download, upload });
  }

  /** Whether `traffic` is worth calling; thousands of connections move in every snapshot. */
  get showsTraffic(): boolean {
    return this.#level === 'traffic';
  }

  traffic(
    fields: ConnectionFields,
    deltaDownload: number,
    deltaUpload: number,
    download: number,
    upload: number,
  ): void {
    if (this.#over || !this.showsTraffic) return;
    this.#add({ kind: 'traffic', at: this.#now(), fields, deltaDownload, deltaUpload, download, upload });
  }

  /** A word to whoever watches, such as that the core is out of reach. */
  note(text: string): void {
    if (this.#over) return;
    this.#add({ kind: 'note', at: this.#now(), text });
  }

  #add(event: ConsoleEvent): void {
    this.#queue.push(event);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting || this.#output === undefined || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#print();
      this.#schedule();
    });
  }

  /** One turn's lines; nothing while the output waits for its reader. */
  #print(): void {
    if (this.#waiting || this.#output === undefined || this.#queue.length === 0) return;
    const style = { aligned: this.#screen.terminal, colour: this.#screen.colour };
    const dropped = this.#queue.takeDropped();
    let text = dropped === 0 ? '' : `… ${dropped} line${dropped === 1 ? '' : 's'} not shown\n`;
    for (let lines = 0; lines < LINES_PER_TURN; lines++) {
      const event = this.#queue.shift();
      if (event === undefined) break;
      text += `${consoleLine(event, style)}\n`;
    }
    this.#waiting = !this.#output.write(text);
  }
}
