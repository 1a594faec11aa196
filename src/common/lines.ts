export interface TextLine {
  /** From 1. */
  readonly line: number;
  /** Without its end; null where it is longer than may be held. */
  readonly text: string | null;
}

/**
 * The lines of a text that comes in pieces. They end with LF or CRLF and with nothing else: JSON leaves U+2028 and U+2029
 * in its texts as they are, and Node's `readline` would break a row there. Of a line beyond `most` characters nothing is
 * held; the next one is read again.
 */
export async function* linesOf(pieces: AsyncIterable<string>, most: number): AsyncGenerator<TextLine> {
  let line = 1;
  let held = '';
  let isTooLong = false;
  const hold = (text: string) => {
    isTooLong ||= held.length + text.length > most;
    held = isTooLong ? '' : held + text;
  };
  const take = (): TextLine => {
    const taken = { line, text: isTooLong ? null : held.endsWith('\r') ? held.slice(0, -1) : held };
    line++;
    held = '';
    isTooLong = false;
    return taken;
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf('\n'); end !== -1; end = piece.indexOf('\n', from)) {
      hold(piece.slice(from, end));
      yield take();
      from = end + 1;
    }
    hold(piece.slice(from));
  }
  if (isTooLong || held !== '') yield take();
}
