const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const HEIGHTS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const BAR_COLUMNS = 12;
/** Points beyond are drawn together, by the highest of them. */
const LINE_COLUMNS = 32;

/** A bar of `part` of `whole`; empty where there is nothing to compare. */
export function bar(part: number, whole: number): string {
  if (!(part > 0) || !(whole > 0)) return '';
  const eighths = Math.max(1, Math.round((Math.min(part, whole) / whole) * BAR_COLUMNS * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** `part` of `whole` in percent, with one digit behind the point. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '' : `${((part / whole) * 100).toFixed(1)} %`;
}

/** A series as one line of characters, each as high as its value; `·` where nothing is known. */
export function drawnLine(values: readonly (number | null)[]): string {
  const each = Math.ceil(values.length / LINE_COLUMNS);
  const drawn: (number | null)[] = [];
  for (let at = 0; at < values.length; at += each) {
    const known = values.slice(at, at + each).filter((value) => value !== null);
    drawn.push(known.length === 0 ? null : Math.max(...known));
  }
  const most = Math.max(0, ...drawn.map((value) => value ?? 0));
  return drawn.map((value) => (value === null ? '·' : heightOf(value, most))).join('');
}

function heightOf(value: number, most: number): string {
  if (most === 0 || value <= 0) return ' ';
  return HEIGHTS[Math.min(HEIGHTS.length - 1, Math.floor((value / most) * HEIGHTS.length))] ?? ' ';
}
