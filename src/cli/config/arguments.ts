import { argumentsOf, type CommandName, commandsWith, optionsOf, shortNames } from './commands.ts';
import { nearest } from './nearest.ts';
import { isOptionName, OPTION_NAMES, type OptionName, specOf } from './options.ts';
import { MASK, type Problem } from './problems.ts';

export interface Arguments {
  /** Flags as typed, not checked yet; the first of each. */
  readonly given: Map<OptionName, string>;
  /** Words that are no options, by the name of the argument. */
  readonly words: Map<string, string>;
  readonly problems: Problem[];
}

/** `-h` → `help`; single letters exist for these only. */
function longName(token: string): string | undefined {
  if (token.startsWith('--')) return token.slice(2);
  return OPTION_NAMES.find((name) => specOf(name).short === token.slice(1));
}

function unknownFlag(
  command: CommandName,
  token: string,
): { problem: Problem; meant: OptionName | undefined } {
  const name = token.replace(/^-+/, '');
  const own = optionsOf(command);
  const problem = (text: string): Problem => ({ flag: token, given: '', problem: text, valid: '' });
  if (isOptionName(name)) {
    const takers = shortNames(commandsWith(name)).join(', ');
    return { problem: problem(`is not an option of ${command}, but of ${takers}`), meant: name };
  }
  const meant = nearest(name, own) ?? nearest(name, OPTION_NAMES);
  if (meant === undefined || !isOptionName(meant)) {
    return { problem: problem('is not a known option'), meant: undefined };
  }
  const where = own.includes(meant) ? '' : ` (an option of ${shortNames(commandsWith(meant)).join(', ')})`;
  return { problem: problem(`is not a known option; did you mean --${meant}${where}?`), meant };
}

/**
 * Reads the flags after the command. Values are `--flag value` or `--flag=value`; a value that begins with two
 * dashes needs the second form, or a forgotten value would swallow the flag after it. Words that belong to no flag
 * are the command's arguments, in their order.
 */
export function readArguments(command: CommandName, argv: readonly string[]): Arguments {
  const own = new Set(optionsOf(command));
  const given = new Map<OptionName, string>();
  const problems: Problem[] = [];
  const words = new Map<string, string>();
  const missing = argumentsOf(command);
  let afterSecret = false;
  for (let i = 0; i < argv.length; i++) {
    const token = argv[i]!;
    const next = argv[i + 1];
    const nextIsValue = next !== undefined && !next.startsWith('--') && next !== '-h' && next !== '-V';
    if (!token.startsWith('-') || token === '-') {
      const argument = afterSecret ? undefined : missing.shift();
      if (argument !== undefined) {
        words.set(argument[0], token);
        continue;
      }
      // After a secret, a stray word is most likely the rest of it, torn off by a missing quote.
      const word = afterSecret ? MASK : token;
      problems.push({
        flag: word,
        given: '',
        problem: 'belongs to no option',
        valid: 'quote values with blanks in them',
      });
      continue;
    }
    const equals = token.startsWith('--') ? token.indexOf('=') : -1;
    const flag = equals < 0 ? token : token.slice(0, equals);
    const name = longName(flag);
    if (name === undefined || !isOptionName(name) || !own.has(name)) {
      const { problem, meant } = unknownFlag(command, flag);
      problems.push(problem);
      const takesValue = meant === undefined || specOf(meant).type !== 'flag';
      if (equals < 0 && takesValue && nextIsValue) i++;
      afterSecret = true;
      continue;
    }
    const spec = specOf(name);
    let value = equals < 0 ? undefined : token.slice(equals + 1);
    if (value === undefined && spec.type === 'flag') value = 'true';
    if (value === undefined && nextIsValue) {
      value = next;
      i++;
    }
    afterSecret = spec.type === 'secret';
    const valid = spec.value === undefined ? '' : `--${name} ${spec.value}`;
    if (value === undefined) {
      problems.push({ flag: `--${name}`, given: '', problem: 'needs a value', valid });
    } else if (given.has(name)) {
      problems.push({
        flag: `--${name}`,
        given: spec.type === 'secret' ? MASK : value,
        problem: 'is given twice',
        valid: 'give it once',
      });
    } else {
      given.set(name, value);
    }
  }
  for (const [, { value = '', summary }] of missing) {
    problems.push({ flag: value, given: '', problem: 'is missing', valid: summary });
  }
  return { given, words, problems };
}
