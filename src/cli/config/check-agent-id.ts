import { accept, type Checked, refuse } from './checked.ts';

const LONGEST = 128;
/** The agent inside a master has this id; from outside the master refuses it (`agent_id_reserved`). */
const RESERVED = 'local';

export function checkAgentId(text: string): Checked<string> {
  const id = text.trim();
  const valid = `1 to ${LONGEST} characters of any script, no control characters`;
  const length = [...id].length;
  if (length === 0) return refuse('is empty', valid);
  if (length > LONGEST) return refuse(`has ${length} characters`, valid);
  if (/[\p{Cc}\p{Cs}]/u.test(id)) return refuse('has control characters', valid);
  if (id === RESERVED) return refuse("belongs to the master's own agent", 'any other id');
  return accept(id);
}
