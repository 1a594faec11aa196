import { readArguments } from './arguments.ts';
import type { Value } from './check-value.ts';
import { COMMAND_NAMES, type CommandName, isCommandName, optionsOf, useOf } from './commands.ts';
import { type Environment, environmentWarnings, gather } from './gather.ts';
import { commandHelp, programHelp } from './help.ts';
import { nearest } from './nearest.ts';
import { type OptionName, specOf } from './options.ts';
import type { Problem } from './problems.ts';
import { applyRules } from './rules.ts';
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

/**
 * Command line and environment → what to do, or everything that is wrong with them at once. Pure but for
 * `readFile`, which is asked for the secrets that are kept in files and throws when it cannot.
 */
export function parseCommandLine(
  argv: readonly string[],
  env: Environment,
  readFile: (path: string) => string,
): ParsedLine {
  const [first, ...rest] = argv;
  if (first === '--help' || first === '-h') return { kind: 'help', help: programHelp() };
  if (first === '--version' || first === '-V') return { kind: 'version', version: true };
  if (first === 'help') {
    const topic = rest[0];
    if (topic === undefined || !isCommandName(topic)) return { kind: 'help', help: programHelp() };
    return { kind: 'help', help: commandHelp(topic) };
  }
  if (first === undefined || !isCommandName(first)) {
    return { kind: 'problems', command: undefined, problems: [unknownCommand(first)] };
  }
  return parseCommand(first, rest, env, readFile);
}

function unknownCommand(first: string | undefined): Problem {
  const valid = COMMAND_NAMES.join(', ');
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
  const meant = nearest(first, COMMAND_NAMES);
  const suggestion = meant === undefined ? '' : `; did you mean ${meant}?`;
  return { flag: 'command', given: first, problem: `is not known${suggestion}`, valid };
}

function parseCommand(
  command: CommandName,
  argv: readonly string[],
  env: Environment,
  readFile: (path: string) => string,
): ParsedLine {
  const line = readArguments(command, argv);
  // Asking for help is answered whatever else is wrong: that is when it is needed.
  if (isAsked(line.given, 'help')) return { kind: 'help', help: commandHelp(command) };
  if (isAsked(line.given, 'version')) return { kind: 'version', version: true };

  const gathered = gather(command, line.given, env, readFile);
  const values = new Map<OptionName, Value>();
  for (const name of optionsOf(command)) {
    const value = gathered.values.get(name) ?? useOf(command, name).default ?? emptyValue(name);
    if (value !== undefined) values.set(name, value);
  }
  const findings = applyRules({ command, values, given: new Set(gathered.values.keys()) });
  const problems = [...line.problems, ...gathered.problems, ...findings.problems];
  if (problems.length > 0) return { kind: 'problems', command, problems };
  const warnings = [...gathered.warnings, ...environmentWarnings(env), ...findings.warnings];
  // The table says of every key what `ValuesOf` says of it; the compiler cannot follow that through a map.
  return { kind: 'run', command, values: typed(command, values), warnings } as unknown as ParsedCommand;
}

function isAsked(given: ReadonlyMap<OptionName, string>, name: 'help' | 'version'): boolean {
  return given.has(name) && given.get(name) !== 'false';
}

/** What stands for "not given" where that has a value of its own. */
function emptyValue(name: OptionName): Value | undefined {
  const { type } = specOf(name);
  if (type === 'flag') return false;
  return type === 'origins' || type === 'hosts' ? [] : undefined;
}

function typed(command: CommandName, values: ReadonlyMap<OptionName, Value>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of optionsOf(command)) {
    if (name === 'help' || name === 'version' || specOf(name).type === 'secret-file') continue;
    result[valueKey(name)] = values.get(name);
  }
  return result;
}
