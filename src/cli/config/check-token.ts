import { parseInstant } from '../../domain/asked-time.ts';
import { normalTokenName, spanEnd, TOKEN_NAME_RULE } from '../../domain/token.ts';
import { accept, type Checked, refuse } from './checked.ts';

export function checkTokenName(text: string): Checked<string> {
  const name = normalTokenName(text);
  return name === null ? refuse('is no name of a token', TOKEN_NAME_RULE) : accept(name);
}

/** A span or an instant, as given: what it means is known when the command runs. */
export function checkExpiry(text: string): Checked<string> {
  if (spanEnd(text, 0) !== null) return accept(text);
  const instant = parseInstant(text);
  if ('at' in instant) {
    return instant.at > Date.now() ? accept(text) : refuse('is past', 'a time that is yet to come');
  }
  const valid = 'a span such as 12h, 90d or 4w, or a time such as 2027-01-31T00:00:00Z';
  return refuse(/^\d+[a-z]?$/i.test(text) ? 'is no span' : instant.problem, valid);
}
