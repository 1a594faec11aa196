import { checkSecret, checkValue, type Value } from './check-value.ts';
import { type CommandName, optionsOf, useOf } from './commands.ts';
import { nearest } from './nearest.ts';
import type { OptionSpec } from './option.ts';
import { environmentName, optionOfEnvironment } from './option.ts';
import { isOptionName, OPTION_NAMES, type OptionName, specOf } from './options.ts';
import { MASK, type Problem } from './problems.ts';

/** Whether an option of a command may be given in the environment. */
export function fromEnvironment(command: CommandName, name: OptionName): boolean {
  return specOf(name).noEnvironment !== true && useOf(command, name).noEnvironment !== true;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Gathered {
  /** Checked values of what was given; secrets from files stand under the secret's own name. */
  readonly values: Map<OptionName, Value>;
  readonly problems: Problem[];
  readonly warnings: string[];
}

interface Source {
  readonly text: string;
  /** How the user knows it: the flag, or the name in the environment. */
  readonly as: string;
  readonly fromLine: boolean;
}

/**
 * Puts flags and environment together (a flag wins), checks each value, and reads the files of secrets.
 * An empty value counts as not given, as `${TOKEN:-}` in scripts and compose files means it; only a flag of an
 * option that has a default may not be empty, since there it is a slip, nor one that guards (`notEmpty`).
 */
export function gather(
  command: CommandName,
  line: ReadonlyMap<OptionName, string>,
  env: Environment,
  readFile: (path: string) => string,
): Gathered {
  const values = new Map<OptionName, Value>();
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const sources = new Map<OptionName, Source>();

  for (const name of optionsOf(command)) {
    const spec = specOf(name);
    const typed = line.get(name);
    const variable = environmentName(name);
    const needed =
      useOf(command, name).default !== undefined || spec.type === 'flag' || spec.notEmpty === true;
    if (typed === '' && needed) {
      problems.push({
        flag: `--${name}`,
        given: '',
        problem: 'has an empty value',
        valid: spec.value ?? 'true or false',
      });
      continue;
    }
    if (typed !== undefined && typed !== '') {
      sources.set(name, { text: typed, as: `--${name}`, fromLine: true });
    } else if (env[variable] !== undefined && env[variable] !== '' && fromEnvironment(command, name)) {
      sources.set(name, { text: env[variable], as: variable, fromLine: false });
    }
  }
  chooseSecrets(sources, problems, warnings);

  for (const [name, { text, as }] of sources) {
    const spec = specOf(name);
    const checked = checkValue(text, spec);
    if (!checked.ok) {
      const given = spec.type === 'secret' ? MASK : withoutCredentials(text);
      problems.push({ flag: as, given, problem: checked.problem, valid: checked.valid });
    } else if (spec.fileOf !== undefined && isOptionName(spec.fileOf)) {
      const secret = readSecret(text, as, readFile, specOf(spec.fileOf));
      if (typeof secret === 'string') values.set(spec.fileOf, secret);
      else problems.push(secret);
    } else {
      values.set(name, checked.value);
    }
  }
  return { values, problems, warnings };
}

/** A secret and the file of that secret are one setting in two forms: one of them, and the command line wins. */
function chooseSecrets(sources: Map<OptionName, Source>, problems: Problem[], warnings: string[]): void {
  for (const [fileName, file] of [...sources]) {
    const { fileOf } = specOf(fileName);
    if (fileOf === undefined || !isOptionName(fileOf)) continue;
    const direct = sources.get(fileOf);
    if (direct === undefined) continue;
    const [kept, left] = direct.fromLine ? [direct, file] : [file, direct];
    sources.delete(left === file ? fileName : fileOf);
    if (direct.fromLine !== file.fromLine) {
      warnings.push(`${left.as} has no effect: ${kept.as} on the command line wins`);
    } else {
      problems.push({
        flag: direct.as,
        given: MASK,
        problem: `is given besides ${file.as}`,
        valid: 'one of the two',
      });
    }
  }
}

function readSecret(
  path: string,
  flag: string,
  readFile: (path: string) => string,
  spec: OptionSpec,
): string | Problem {
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      flag,
      given: path,
      problem: `cannot be read: ${reason}`,
      valid: 'a file that this user may read',
    };
  }
  const secret = content.replace(/\r?\n$/, '');
  // An empty file must not quietly mean "no token": that would open what was meant to be closed.
  if (secret === '') return { flag, given: path, problem: 'is empty', valid: 'a file with the secret in it' };
  const checked = checkSecret(secret, spec);
  return checked.ok ? checked.value : { flag, given: path, problem: checked.problem, valid: checked.valid };
}

/** `http://user:secret@host` → `http://********@host`, whatever the option. */
function withoutCredentials(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/\s]*@/i, `$1${MASK}@`);
}

/** Names with our prefix that mean nothing: most likely typed wrong, and otherwise never noticed. */
export function environmentWarnings(env: Environment): string[] {
  const warnings: string[] = [];
  for (const variable of Object.keys(env)) {
    const name = optionOfEnvironment(variable);
    if (name === undefined || (isOptionName(name) && specOf(name).noEnvironment !== true)) continue;
    const meant = nearest(name, OPTION_NAMES);
    const suggestion = meant === undefined ? '' : `; did you mean ${environmentName(meant)}?`;
    warnings.push(`${variable} in the environment has no effect: no option has that name${suggestion}`);
  }
  return warnings;
}
