/** Longest agent id, in characters of any script. */
export const MAX_AGENT_ID_CHARACTERS = 128;

/** The agent inside a master that attaches to a core itself; from outside the id is refused. */
export const LOCAL_AGENT_ID = 'local';

/**
 * The agent id as it is kept (trimmed), or null when it is none: 1 to 128 characters, no controls. Half a surrogate
 * pair is no character: stores replace it, and two ids would become one.
 */
export function normalAgentId(text: string): string | null {
  const id = text.trim();
  if (!id.isWellFormed()) return null;
  const length = [...id].length;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is refused here
  if (length < 1 || length > MAX_AGENT_ID_CHARACTERS || /[\u0000-\u001f\u007f-\u009f]/.test(id)) return null;
  // Controls of direction make one name look like another.
  if (/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(id)) return null;
  return id;
}

/** Whether an id is the reserved one, or looks exactly like it. */
export function isLocalAgentId(id: string): boolean {
  return (
    id
      .normalize('NFKC')
      .replace(/\p{Cf}/gu, '')
      .toLowerCase() === LOCAL_AGENT_ID
  );
}
