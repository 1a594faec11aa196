/**
 * Characters that a name from the network must not send to a terminal: controls and escape sequences, bidi
 * controls that reorder what stands beside them, line and paragraph separators, everything zero-width or
 * ignorable, and halves of surrogate pairs. U+FE0F is spared: it only selects the emoji form of the character
 * before it, and names of nodes are full of it.
 */
const HARMFUL = /(?!\uFE0F)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const PLAIN = /^[\x20-\x7e]*$/;

/** The text with every such character as a visible escape: U+202E becomes `\u{202E}`. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(
    HARMFUL,
    (character) => `\\u{${character.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')}}`,
  );
}
