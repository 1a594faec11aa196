/** Where lines go: takes text at once, never waits, and says when it wants no more for now. */
export interface Output {
  /** False: taken, but nothing more until `drained` is called. */
  write(text: string): boolean;
  /** Bytes taken and not yet handed to the operating system. */
  readonly pending: number;
  /** Lets go of what it holds; nothing is written afterwards. */
  close(): void;
}

export interface OutputListener {
  drained(): void;
  /** The other end is gone for good. */
  ended(): void;
}

/** A place for lines that is opened when the first component starts, not when it is described. */
export interface Screen {
  readonly terminal: boolean;
  readonly colour: boolean;
  open(listener: OutputListener): Output;
}
