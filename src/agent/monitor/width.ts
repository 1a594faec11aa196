/**
 * East Asian wide and fullwidth blocks (UAX #11, whole blocks): Node keeps its own width function to itself, and a
 * terminal column needs no more than this.
 */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
];

const ASCII = /^[\x20-\x7e]*$/;
const EMOJI = /^\p{Emoji_Presentation}|\uFE0F/u;
const MARK = /^\p{M}/u;

/** Made when a text asks for it: its tables are 2.6 MB, which an agent without a console never needs. */
let segmenter: Intl.Segmenter | undefined;

function clusterWidth(cluster: string): number {
  if (EMOJI.test(cluster)) return 2;
  if (MARK.test(cluster)) return 0;
  const point = cluster.codePointAt(0) ?? 0;
  if (point < WIDE[0]![0]) return 1;
  return WIDE.some(([first, last]) => point >= first && point <= last) ? 2 : 1;
}

/** Marks on one letter beyond this are not writing but a way to paint over the lines around. */
const MOST_MARKS = 4;

function clusters(text: string): string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) =>
    segment.length > MOST_MARKS ? [...segment].slice(0, 1 + MOST_MARKS).join('') : segment,
  );
}

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  return clusters(text).reduce((sum, cluster) => sum + clusterWidth(cluster), 0);
}

/** The text in at most `max` columns; what is cut is marked by `…`, at the end or, with `keepEnd`, at the start. */
export function cut(text: string, max: number, keepEnd = false): string {
  if (ASCII.test(text)) {
    if (text.length <= max) return text;
    return keepEnd ? `…${text.slice(text.length - max + 1)}` : `${text.slice(0, max - 1)}…`;
  }
  const all = clusters(text);
  const widths = all.map(clusterWidth);
  if (widths.reduce((sum, width) => sum + width, 0) <= max) return all.join('');
  const kept: string[] = [];
  let room = max - 1;
  for (let i = 0; i < all.length; i++) {
    const index = keepEnd ? all.length - 1 - i : i;
    if (widths[index]! > room) break;
    room -= widths[index]!;
    kept.push(all[index]!);
  }
  return keepEnd ? `…${kept.reverse().join('')}` : `${kept.join('')}…`;
}

/** The same, cut in the middle: names that differ often do so at an end. `max` is at least 3. */
export function cutMiddle(text: string, max: number): string {
  if (widthOf(text) <= max) return text;
  const end = cut(text, Math.floor(max / 2), true);
  return cut(text, max - widthOf(end) + 1).slice(0, -1) + end;
}

/** Blanks at the end up to `columns`; a longer text stays as it is. */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}
