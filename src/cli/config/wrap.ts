/** Breaks text at blanks into lines of at most `width` characters; a longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

/** Two columns: the left as wide as it needs, the right, of one or more lines, wrapped to what remains of `width`. */
export function columns(rows: readonly (readonly [left: string, right: string])[], width: number): string[] {
  const left = Math.max(0, ...rows.map(([text]) => text.length));
  const indent = ' '.repeat(2 + left + 2);
  return rows.flatMap(([text, right]) =>
    right
      .split('\n')
      .flatMap((line) => wrap(line, width - indent.length))
      .map((line, index) => (index === 0 ? `  ${text.padEnd(left)}  ${line}` : `${indent}${line}`)),
  );
}
