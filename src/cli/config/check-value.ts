import { checkAgentId } from './check-agent-id.ts';
import { checkHosts, checkListenHost, checkOrigins } from './check-host.ts';
import { checkMasterUrl } from './check-master-url.ts';
import { checkDecimal, checkInteger, checkSampleInterval } from './check-number.ts';
import { checkExpiry, checkTokenName } from './check-token.ts';
import { accept, type Checked, refuse } from './checked.ts';
import { checkCoreAddress } from './core-address.ts';
import { nearest } from './nearest.ts';
import type { OptionSpec, OptionType } from './option.ts';

export type Value = string | number | boolean | readonly string[];

/** Booleans are words here as in the environment: nothing else is guessed to mean yes. */
function checkFlag(text: string): Checked<boolean> {
  if (text === 'true' || text === '1') return accept(true);
  if (text === 'false' || text === '0') return accept(false);
  return refuse('is neither true nor false', 'true or false');
}

function checkChoice(text: string, spec: OptionSpec): Checked<string> {
  const choices = spec.choices ?? [];
  return choices.includes(text) ? accept(text) : refuse('is none of the choices', choices.join(', '));
}

/** Words with commas between them, each once. */
function checkWords(text: string, { choices, most }: OptionSpec): Checked<readonly string[]> {
  const words = text.split(',').map((word) => word.trim());
  const valid = `${most === undefined ? '' : `at most ${most} of `}${(choices ?? ['words']).join(', ')}`;
  if (words.includes('')) return refuse('has nothing before or after a comma', valid);
  const strange = choices === undefined ? [] : words.filter((word) => !choices.includes(word));
  if (strange.length > 0) {
    const names = strange.map((word) => {
      const meant = nearest(word, choices ?? []);
      return meant === undefined ? word : `${word} (did you mean ${meant}?)`;
    });
    return refuse(`has what is none of the choices: ${names.join(', ')}`, valid);
  }
  if (new Set(words).size < words.length) return refuse('names something twice', valid);
  return most !== undefined && words.length > most ? refuse('names too many', valid) : accept(words);
}

function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function checkPath(text: string): Checked<string> {
  return hasControls(text) ? refuse('has control characters', 'a path') : accept(text);
}

/** A database file: SQLite would take what is refused here for a file of another name, or for none. */
function checkStorePath(text: string): Checked<string> {
  if (text === ':memory:') return refuse('is no file: nothing would be kept', 'a path');
  if (text !== text.trim()) {
    return refuse('begins or ends with a blank, which SQLite leaves out', 'a path without');
  }
  return checkPath(text);
}

/** A secret travels in a header, where a control character would end it or be refused much later. */
export function checkSecret(text: string, { bearer }: Pick<OptionSpec, 'bearer'> = {}): Checked<string> {
  if (hasControls(text)) {
    return refuse('has control characters or several lines', 'one line of printable characters');
  }
  if (bearer && !/^[!-~]+$/.test(text)) {
    return refuse(
      'has blanks or characters beyond ASCII',
      'letters, digits and signs of ASCII, without blanks',
    );
  }
  return accept(text);
}

const CHECKS: Record<OptionType, (text: string, spec: OptionSpec) => Checked<Value>> = {
  flag: checkFlag,
  text: accept,
  path: checkPath,
  'store-path': checkStorePath,
  integer: checkInteger,
  decimal: checkDecimal,
  choice: checkChoice,
  secret: (text, spec) => checkSecret(text, spec),
  'secret-file': checkPath,
  'listen-host': checkListenHost,
  'core-address': checkCoreAddress,
  'master-url': checkMasterUrl,
  'agent-id': checkAgentId,
  'sample-interval': checkSampleInterval,
  'token-name': checkTokenName,
  expiry: checkExpiry,
  origins: checkOrigins,
  words: checkWords,
  hosts: checkHosts,
};

const LITERAL: ReadonlySet<OptionType> = new Set(['secret', 'secret-file', 'path', 'store-path']);

/** Checks one value by its option's type; blanks around it never belong to it, except in secrets and paths. */
export function checkValue(text: string, spec: OptionSpec): Checked<Value> {
  const literal = LITERAL.has(spec.type);
  return CHECKS[spec.type](literal ? text : text.trim(), spec);
}
