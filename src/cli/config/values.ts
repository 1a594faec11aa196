import type { COMMANDS, CommandName } from './commands.ts';
import type { OptionType } from './option.ts';
import type { OPTIONS, OptionName } from './options.ts';

type Camel<S extends string> = S extends `${infer Head}-${infer Rest}`
  ? `${Head}${Capitalize<Camel<Rest>>}`
  : S;

interface TypeValues {
  flag: boolean;
  integer: number;
  decimal: number;
  'sample-interval': 'auto' | number;
  origins: readonly string[];
  words: readonly string[];
  hosts: readonly string[];
}

type ValueOf<Spec> = Spec extends { type: 'choice'; choices: readonly (infer Choice)[] }
  ? Choice
  : Spec extends { type: infer Type extends OptionType }
    ? Type extends keyof TypeValues
      ? TypeValues[Type]
      : string
    : never;

type UsesOf<C extends CommandName> = (typeof COMMANDS)[C]['options'];

/** Answered before a command runs (`help`, `version`), or delivered as the secret they hold (`…-file`). */
type Hidden = 'help' | 'version' | `${string}-file`;

/** Always has a value: a default, `false`, an empty list, or one that must be given. */
type Filled<Name, Use> = Use extends { default: unknown } | { required: true }
  ? Name
  : Name extends OptionName
    ? (typeof OPTIONS)[Name]['type'] extends 'flag' | 'origins' | 'hosts' | 'words'
      ? Name
      : never
    : never;

/** The checked values of a command, by the option's name in camel case: `listen-port` is `listenPort`. */
export type ValuesOf<C extends CommandName> = {
  readonly [Name in Exclude<keyof UsesOf<C>, Hidden> & OptionName as Camel<Name>]:
    | ValueOf<(typeof OPTIONS)[Name]>
    | (Filled<Name, UsesOf<C>[Name & keyof UsesOf<C>]> extends never ? undefined : never);
} & WordsOf<(typeof COMMANDS)[C]>;

/** The arguments that a command takes beside options. */
type WordsOf<Command> = Command extends { arguments: infer Words }
  ? { readonly [Name in keyof Words]: ValueOf<Words[Name]> }
  : unknown;

/** The key of an option in `ValuesOf`. */
export function valueKey(option: string): string {
  return option.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
