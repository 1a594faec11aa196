/** What an option's value may be; each has one check (`check-value.ts`) and one TypeScript type (`values.ts`). */
export type OptionType =
  | 'flag'
  | 'text'
  | 'path'
  | 'store-path'
  | 'integer'
  | 'decimal'
  | 'choice'
  | 'secret'
  | 'secret-file'
  | 'listen-host'
  | 'core-address'
  | 'master-url'
  | 'agent-id'
  | 'sample-interval'
  | 'token-name'
  | 'expiry'
  | 'origins'
  | 'words'
  | 'hosts';

/** An option as it is declared, once for all commands that take it. */
export interface OptionSpec {
  readonly type: OptionType;
  /** How the value is called in help; absent for flags. */
  readonly value?: string;
  readonly summary: string;
  /** Bounds of numbers, both included. */
  readonly min?: number;
  readonly max?: number;
  /** Said of the number in messages, as in "60 (seconds)". */
  readonly unit?: string;
  readonly choices?: readonly string[];
  /** Of a list of words: the most that make sense together. */
  readonly most?: number;
  /** Travels as a bearer token: what is not printable ASCII, or has blanks, can never match. */
  readonly bearer?: true;
  /** Given and empty it would be silently ignored, and the effect would be the opposite of what was meant. */
  readonly notEmpty?: true;
  /** A `secret-file` delivers the value of this option. */
  readonly fileOf?: string;
  readonly short?: string;
  /** Only on the command line: an environment that asks for help, or names a token, would do so at every start. */
  readonly noEnvironment?: true;
}

/** What a command changes about an option that it takes. */
export interface OptionUse {
  readonly default?: string | number;
  /** The command does nothing without it. */
  readonly required?: true;
  /** As in `OptionSpec`, for this command: what is set for a service would be a mistake here. */
  readonly noEnvironment?: true;
  /** Replaces the general summary in the command's help. */
  readonly summary?: string;
}

const PREFIX = 'MIHOMO_TRACKER_';

/** `listen-port` → `MIHOMO_TRACKER_LISTEN_PORT`. */
export function environmentName(option: string): string {
  return PREFIX + option.toUpperCase().replaceAll('-', '_');
}

/** `MIHOMO_TRACKER_LISTEN_PORT` → `listen-port`; undefined for names of others. */
export function optionOfEnvironment(name: string): string | undefined {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length).toLowerCase().replaceAll('_', '-') : undefined;
}
