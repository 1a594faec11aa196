import { createReadStream } from 'node:fs';
import type { Duplex } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** One event of a recording; `at` is epoch milliseconds of receipt. */
export type RecordedEvent =
  | { at: number; frame: string }
  | { at: number; event: 'open' }
  | { at: number; event: 'close'; code: number };

/** Between the bare snapshots of a file without times. */
const BARE_MS = 1000;

/**
 * Reads a recording, `.ndjson` or `.ndjson.gz`: one event a line, or one bare snapshot a line (a second apart, from
 * the epoch). Frames come byte for byte as they were received.
 */
export async function* readRecording(path: string): AsyncGenerator<RecordedEvent> {
  const file = createReadStream(path);
  // Composed, so that a file that cannot be read fails the reader instead of nobody.
  const input = path.endsWith('.gz') ? file.compose<Duplex>(createGunzip()) : file;
  let bare = 0;
  // Not readline, which also splits at U+2028, and names may hold that.
  for await (const line of linesOf(input)) {
    if (line === '') continue;
    const value = JSON.parse(line) as Record<string, unknown>;
    if ('frame' in value || 'event' in value) yield value as unknown as RecordedEvent;
    else yield { at: bare++ * BARE_MS, frame: `${line}\n` };
  }
}

async function* linesOf(input: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}
