/** A connection of the generated data; what it is made of stands in the world, by place. */
export interface Generated {
  /** Epoch milliseconds. */
  startMs: number;
  lifeMs: number;
  /** Minute since the epoch in which it began, and how many minutes it touches. */
  firstMinute: number;
  minutes: number;
  device: number;
  host: number;
  address: number;
  chain: number;
  program: number;
  /** Repeats bytes of another connection (a hop of a chain, DNS over a proxy): in no sum. */
  overlay: boolean;
  /** Bytes of its whole life. */
  download: number;
  upload: number;
}

/** Connections column by column: a million of them as objects would cost more than all that is done with them. */
export class Batch {
  length = 0;
  readonly startMs: Float64Array;
  readonly lifeMs: Int32Array;
  readonly firstMinute: Int32Array;
  readonly minutes: Int32Array;
  readonly device: Int32Array;
  readonly host: Int32Array;
  readonly address: Int32Array;
  readonly chain: Int32Array;
  readonly program: Int32Array;
  readonly overlay: Uint8Array;
  readonly download: Float64Array;
  readonly upload: Float64Array;

  constructor(capacity: number) {
    this.startMs = new Float64Array(capacity);
    this.lifeMs = new Int32Array(capacity);
    this.firstMinute = new Int32Array(capacity);
    this.minutes = new Int32Array(capacity);
    this.device = new Int32Array(capacity);
    this.host = new Int32Array(capacity);
    this.address = new Int32Array(capacity);
    this.chain = new Int32Array(capacity);
    this.program = new Int32Array(capacity);
    this.overlay = new Uint8Array(capacity);
    this.download = new Float64Array(capacity);
    this.upload = new Float64Array(capacity);
  }

  add(connection: Generated): void {
    const at = this.length++;
    this.startMs[at] = connection.startMs;
    this.lifeMs[at] = connection.lifeMs;
    this.firstMinute[at] = connection.firstMinute;
    this.minutes[at] = connection.minutes;
    this.device[at] = connection.device;
    this.host[at] = connection.host;
    this.address[at] = connection.address;
    this.chain[at] = connection.chain;
    this.program[at] = connection.program;
    this.overlay[at] = connection.overlay ? 1 : 0;
    this.download[at] = connection.download;
    this.upload[at] = connection.upload;
  }

  at(place: number): Generated {
    return {
      startMs: this.startMs[place]!,
      lifeMs: this.lifeMs[place]!,
      firstMinute: this.firstMinute[place]!,
      minutes: this.minutes[place]!,
      device: this.device[place]!,
      host: this.host[place]!,
      address: this.address[place]!,
      chain: this.chain[place]!,
      program: this.program[place]!,
      overlay: this.overlay[place] === 1,
      download: this.download[place]!,
      upload: this.upload[place]!,
    };
  }
}
