import { plainName } from './plain-name.ts';

/** Longest agent id, in characters of any script. */
export const MAX_AGENT_ID_CHARACTERS = 128;

/** The agent inside a master that attaches to a core itself; from outside the id is refused. */
export const LOCAL_AGENT_ID = 'local';

/** The agent id as it is kept (trimmed), or null when it is none. */
export function normalAgentId(text: string): string | null {
  return plainName(text, MAX_AGENT_ID_CHARACTERS);
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
