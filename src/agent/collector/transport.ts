/** Longest snapshot taken: about 320,000 connections. */
export const MAX_FRAME_BYTES = 256 * 1024 * 1024;

/** Why a transport ended. */
export type TransportEnd =
  /** The secret is wrong (401). */
  | { kind: 'unauthorized' }
  /** Answered, but not with an upgrade; a plain GET may work. */
  | { kind: 'not-upgraded'; detail: string }
  /** No complete answer in time. */
  | { kind: 'silent'; detail: string }
  /** Everything else; `upgraded` says whether it had ever been open. */
  | { kind: 'gone'; detail: string; upgraded: boolean };

export interface TransportEvents {
  /** A whole message. */
  frame(bytes: Buffer): void;
  /** At most once, nothing follows; never called synchronously, nor after `close`. */
  ended(end: TransportEnd): void;
}

/** A way of getting snapshots, open or about to be. */
export interface Transport {
  readonly polled: boolean;
  /** Ends it at once; no event follows. */
  close(): void;
}
