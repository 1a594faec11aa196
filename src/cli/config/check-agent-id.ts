import { LOCAL_AGENT_ID, MAX_AGENT_ID_CHARACTERS, normalAgentId } from '../../domain/agent-id.ts';
import { accept, type Checked, refuse } from './checked.ts';

const VALID = `1 to ${MAX_AGENT_ID_CHARACTERS} characters of any script, no control characters`;

export function checkAgentId(text: string): Checked<string> {
  const id = normalAgentId(text);
  const length = [...text.trim()].length;
  if (length === 0) return refuse('is empty', VALID);
  if (length > MAX_AGENT_ID_CHARACTERS) return refuse(`has ${length} characters`, VALID);
  if (id === null) return refuse('has control characters', VALID);
  // From outside a master that has an agent of its own refuses it (`agent_id_reserved`).
  if (id === LOCAL_AGENT_ID) return refuse("belongs to the master's own agent", 'any other id');
  return accept(id);
}
