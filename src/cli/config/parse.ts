import { readArguments } from './arguments.ts';
import { checkValue, type Value } from './check-value.ts';
import {
  argumentsOf,
  type CommandName,
  commandsOf,
  FIRST_WORDS,
  isCommandName,
  optionsOf,
  useOf,
} from './commands.ts';
import { type Environment, environmentWarnings, gather } from './gather.ts';
import { commandHelp, flagForm, groupHelp, programHelp } from './help.ts';
import { nearest } from './nearest.ts';
import { type OptionName, specOf } from './options.ts';
import type { Problem } from './problems.ts';
import { applyRules, type Findings, type Settled } from './rules.ts';
import { type ValuesOf, valueKey } from './values.ts';

export type ParsedCommand = {
  [C in CommandName]: {
    readonly kind: 'run';
    readonly command: C;
    readonly values: ValuesOf<C>;
    /** To be logged at start: accepted, but not what somebody may have expected. */
    readonly warnings: readonly string[];
  };
}[CommandName];

export type ParsedLine =
  | ParsedCommand
  | { readonly kind: 'help'; readonly help: string }
  | { readonly kind: 'version'; readonly version: true }
  | {
      readonly kind: 'problems';
      readonly command: CommandName | undefined;
      readonly problems: readonly Problem[];
    };

const NO_FINDINGS = (): Findings => ({ problems: [], warnings: [] });

/**
 * Command line and environment → what to do, or everything that is wrong with them at once. Pure but for
 * `readFile`, which is asked for the secrets that are kept in files and throws when it cannot. `more` finds what only a
 * command itself knows of its options, and is told with the rest.
 */
export function parseCommandLine(
  argv: readonly string[],
  env: Environment,
  readFile: (path: string) => string,
  more: (settled: Settled) => Findings = NO_FINDINGS,
): ParsedLine {
  const [first, ...rest] = argv;
  if (first === '--help' || first === '-h') return { kind: 'help', help: programHelp() };
  if (first === '--version' || first === '-V') return { kind: 'version', version: true };
  if (first === 'help') return { kind: 'help', help: helpOf(rest) };
  const words = commandWords(argv);
  if (words === 0 && first !== undefined && commandsOf(first).length > 0) {
    return inGroup(first, rest[0]);
  }
  const command = argv.slice(0, words).join(' ');
  if (!isCommandName(command)) {
    return { kind: 'problems', command: undefined, problems: [unknownCommand(first)] };
  }
  return parseCommand(command, argv.slice(words), env, readFile, more);
}

/** How many words at the beginning of a line name a command; 0: they name none. */
function commandWords(argv: readonly string[]): number {
  return [2, 1].find((words) => argv.length >= words && isCommandName(argv.slice(0, words).join(' '))) ?? 0;
}

function helpOf(topic: readonly string[]): string {
  const command = topic.slice(0, commandWords(topic)).join(' ');
  if (isCommandName(command)) return commandHelp(command);
  const [first = ''] = topic;
  return commandsOf(first).length > 0 ? groupHelp(first) : programHelp();
}

/** A group without one of its commands after it. */
function inGroup(group: string, next: string | undefined): ParsedLine {
  if (next === '--help' || next === '-h') return { kind: 'help', help: groupHelp(group) };
  if (next === '--version' || next === '-V') return { kind: 'version', version: true };
  const commands = commandsOf(group);
  const valid = commands.join(', ');
  const known = commands.map((name) => name.slice(group.length + 1));
  const word = next === undefined || next.startsWith('-') ? undefined : next;
  const meant = word === undefined ? undefined : nearest(word, known);
  const problem = word === undefined ? 'needs a word after it' : `has no such command`;
  const suggestion = meant === undefined ? '' : `; did you mean ${group} ${meant}?`;
  const given = word ?? '';
  return {
    kind: 'problems',
    command: undefined,
    problems: [{ flag: group, given, problem: problem + suggestion, valid }],
  };
}

function unknownCommand(first: string | undefined): Problem {
  const valid = FIRST_WORDS.join(', ');
  if (first === undefined) return { flag: 'command', given: '', problem: 'is missing', valid };
  if (first.startsWith('-')) {
    // The value may be a secret after `=`, and is of no help here.
    return {
      flag: first.split('=')[0]!,
      given: '',
      problem: 'comes before the command',
      valid: `first ${valid}`,
    };
  }
  const meant = nearest(first, FIRST_WORDS);
  const suggestion = meant === undefined ? '' : `; did you mean ${meant}?`;
  return { flag: 'command', given: first, problem: `is not known${suggestion}`, valid };
}

function parseCommand(
  command: CommandName,
  argv: readonly string[],
  env: Environment,
  readFile: (path: string) => string,
  more: (settled: Settled) => Findings,
): ParsedLine {
  const line = readArguments(command, argv);
  // Asking for help is answered whatever else is wrong: that is when it is needed.
  if (isAsked(line.given, 'help')) return { kind: 'help', help: commandHelp(command) };
  if (isAsked(line.given, 'version')) return { kind: 'version', version: true };

  const gathered = gather(command, line.given, env, readFile);
  const values = new Map<OptionName, Value>();
  for (const name of optionsOf(command)) {
    const value = gathered.values.get(name) ?? defaultValue(command, name) ?? emptyValue(name);
    if (value !== undefined) values.set(name, value);
  }
  // One with a wrong value is given all the same: nobody is to be told that it is missing, too.
  const typedNames = [...line.given].filter(([, text]) => text !== '').map(([name]) => name);
  const given = new Set([...typedNames, ...gathered.values.keys()]);
  const settled = { command, values, given };
  const [findings, found] = [applyRules(settled), more(settled)];
  const words = checkWords(command, line.words);
  const problems = [
    ...line.problems,
    ...words.problems,
    ...gathered.problems,
    ...missingOptions(command, line.given, gathered.values),
    ...findings.problems,
    ...found.problems,
  ];
  if (problems.length > 0) return { kind: 'problems', command, problems };
  const warnings = [
    ...gathered.warnings,
    ...environmentWarnings(env),
    ...findings.warnings,
    ...found.warnings,
  ];
  // The table says of every key what `ValuesOf` says of it; the compiler cannot follow that through a map.
  return {
    kind: 'run',
    command,
    values: { ...typed(command, values), ...Object.fromEntries(words.values) },
    warnings,
  } as unknown as ParsedCommand;
}

function checkWords(
  command: CommandName,
  words: ReadonlyMap<string, string>,
): { values: Map<string, Value>; problems: Problem[] } {
  const values = new Map<string, Value>();
  const problems: Problem[] = [];
  for (const [name, spec] of argumentsOf(command)) {
    const given = words.get(name);
    if (given === undefined) continue;
    const checked = checkValue(given, spec);
    if (checked.ok) values.set(name, checked.value);
    else problems.push({ flag: spec.value ?? name, given, problem: checked.problem, valid: checked.valid });
  }
  return { values, problems };
}

/** Options without which a command does nothing; those given and wrong are told of already. */
function missingOptions(
  command: CommandName,
  given: ReadonlyMap<OptionName, string>,
  values: ReadonlyMap<OptionName, Value>,
): Problem[] {
  return optionsOf(command)
    .filter((name) => useOf(command, name).required === true)
    .filter((name) => values.get(name) === false || (!given.has(name) && !values.has(name)))
    .map((name) => {
      const { summary } = specOf(name);
      return {
        flag: `--${name}`,
        given: '',
        problem: 'is required',
        valid: `${flagForm(name)}: ${useOf(command, name).summary ?? summary}`,
      };
    });
}

function isAsked(given: ReadonlyMap<OptionName, string>, name: 'help' | 'version'): boolean {
  return given.has(name) && given.get(name) !== 'false';
}

function defaultValue(command: CommandName, name: OptionName): Value | undefined {
  const value = useOf(command, name).default;
  return specOf(name).type === 'words' && value !== undefined ? String(value).split(',') : value;
}

/** What stands for "not given" where that has a value of its own. */
function emptyValue(name: OptionName): Value | undefined {
  const { type } = specOf(name);
  if (type === 'flag') return false;
  return type === 'origins' || type === 'hosts' || type === 'words' ? [] : undefined;
}

function typed(command: CommandName, values: ReadonlyMap<OptionName, Value>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of optionsOf(command)) {
    if (name === 'help' || name === 'version' || specOf(name).type === 'secret-file') continue;
    result[valueKey(name)] = values.get(name);
  }
  return result;
}
