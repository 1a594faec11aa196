/**
 * A text as it is compared where case is ignored: each character by itself, so that what a letter becomes does not
 * depend on its neighbours (as the final sigma does), and a part of a text is a part of the result.
 */
export function lowered(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what it says.
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  let result = '';
  for (const char of text) result += char === '\u0130' ? 'i' : char.toLowerCase();
  return result;
}
