/** States what must be true; `text` says what was found instead. */
export function hold(condition: boolean, text: () => string): asserts condition {
  if (!condition) throw new Error(text());
}
