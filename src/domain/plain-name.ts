/**
 * A name that people give as it is kept (trimmed), or null when it is none: 1 to `longest` characters of any script,
 * and nothing that makes it look like another or that a store would change.
 */
export function plainName(text: string, longest: number): string | null {
  const name = text.trim();
  // Half a surrogate pair is no character: stores replace it, and two names would become one.
  if (!name.isWellFormed()) return null;
  const length = [...name].length;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is refused here
  if (length < 1 || length > longest || /[\u0000-\u001f\u007f-\u009f]/.test(name)) return null;
  // Controls of direction make one name look like another.
  if (/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(name)) return null;
  return name;
}
