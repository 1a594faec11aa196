import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  parseSlice,
  QUOTE,
  skipSpace,
  skipString,
  skipValue,
  startsWith,
} from './json-bytes.ts';
import { readCounter } from './reader.ts';

export const FRAME_PROBLEMS = ['not-json', 'not-a-snapshot', 'no-totals'] as const;

/**
 * What is wrong with a frame: no valid JSON; JSON, but no object, or `connections` is no list; or totals that are
 * missing or no whole numbers in [0, 2^53).
 */
export type FrameProblem = (typeof FRAME_PROBLEMS)[number];

export interface FrameShape {
  ok: true;
  downloadTotal: number;
  uploadTotal: number;
}

export type WalkOutcome = FrameShape | { ok: false; problem: FrameProblem; detail: string };

/** Told what the walk meets. */
export interface FrameVisitor {
  /** The member `connections` begins; when a frame has it twice, the last one counts, as for JSON.parse. */
  connections(): void;
  /** An element begins here; answers where it ends, -1 (or an exception) when it is not valid JSON. */
  record(start: number): number;
}

/**
 * Walks over the members of a snapshot in whatever order they come. Never throws. Every member is parsed here but the
 * elements of `connections`, which are the visitor's: a frame that is accepted is valid JSON if those are.
 */
export function walkFrame(bytes: Buffer, visitor: FrameVisitor): WalkOutcome {
  try {
    return new FrameWalk(bytes, visitor).run();
  } catch {
    // The parser's message quotes the text, which is somebody's browsing history.
    return notJson('a value is malformed');
  }
}

function notJson(detail: string): WalkOutcome {
  return problem('not-json', detail);
}

class FrameWalk {
  readonly #bytes: Buffer;
  readonly #visitor: FrameVisitor;
  readonly #totals = new Map<string, unknown>();
  #connectionsAreList = true;

  constructor(bytes: Buffer, visitor: FrameVisitor) {
    this.#bytes = bytes;
    this.#visitor = visitor;
  }

  run(): WalkOutcome {
    const bytes = this.#bytes;
    const start = skipSpace(bytes, 0);
    if (bytes[start] !== OPEN_BRACE) return this.#foreign(start);
    let at = skipSpace(bytes, start + 1);
    if (bytes[at] === CLOSE_BRACE) at++;
    else {
      for (;;) {
        at = this.#member(at);
        if (at < 0) return notJson('the object is malformed or cut off');
        if (bytes[at] === CLOSE_BRACE) break;
        if (bytes[at] !== COMMA) return notJson(`no comma or brace at byte ${at}`);
        at = skipSpace(bytes, at + 1);
      }
      at++;
    }
    if (skipSpace(bytes, at) !== bytes.length) return notJson(`more text at byte ${at}`);
    if (!this.#connectionsAreList) return problem('not-a-snapshot', 'connections is no list');
    const downloadTotal = readTotal(this.#totals.get('downloadTotal'));
    const uploadTotal = readTotal(this.#totals.get('uploadTotal'));
    if (downloadTotal === undefined || uploadTotal === undefined) {
      return problem('no-totals', 'downloadTotal or uploadTotal is missing or no whole number below 2^53');
    }
    return { ok: true, downloadTotal, uploadTotal };
  }

  /** Reads the member whose key begins at `at`; answers the position of what follows it, or -1. */
  #member(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] !== QUOTE) return -1;
    const keyEnd = skipString(bytes, at);
    if (keyEnd < 0) return -1;
    const key = parseSlice(bytes, at, keyEnd) as string;
    const colon = skipSpace(bytes, keyEnd);
    if (bytes[colon] !== COLON) return -1;
    const value = skipSpace(bytes, colon + 1);
    if (key === 'connections') {
      this.#visitor.connections();
      this.#connectionsAreList = bytes[value] === OPEN_BRACKET || startsWith(bytes, value, 'null');
      if (bytes[value] === OPEN_BRACKET) return this.#elements(value);
    }
    const end = skipValue(bytes, value);
    if (end < 0) return -1;
    const parsed = parseSlice(bytes, value, end);
    if (key === 'downloadTotal' || key === 'uploadTotal') this.#totals.set(key, parsed);
    return skipSpace(bytes, end);
  }

  #elements(open: number): number {
    const bytes = this.#bytes;
    const visitor = this.#visitor;
    let at = skipSpace(bytes, open + 1);
    if (bytes[at] === CLOSE_BRACKET) return skipSpace(bytes, at + 1);
    for (;;) {
      const end = visitor.record(at);
      if (end < 0) return -1;
      at = skipSpace(bytes, end);
      if (bytes[at] === CLOSE_BRACKET) return skipSpace(bytes, at + 1);
      if (bytes[at] !== COMMA) return -1;
      at = skipSpace(bytes, at + 1);
    }
  }

  #foreign(start: number): WalkOutcome {
    // Only to tell a wrong address from a broken stream; what is long is no status message.
    if (this.#bytes.length - start > 65_536) return notJson('no object');
    parseSlice(this.#bytes, 0, this.#bytes.length);
    return problem('not-a-snapshot', 'JSON, but no object');
  }
}

function problem(code: FrameProblem, detail: string): WalkOutcome {
  return { ok: false, problem: code, detail };
}

/** Totals must be numbers: a numeric text is some other API. */
function readTotal(value: unknown): number | undefined {
  return typeof value === 'number' ? readCounter(value) : undefined;
}
