import { constants, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Output, OutputListener, Screen } from './output.ts';
import { StreamOutput } from './stream-output.ts';
import { TerminalOutput } from './terminal-output.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** FORCE_COLOR (not `0` or `false`) beats NO_COLOR (anything but empty), which beats the terminal. */
export function wantsColour(terminal: boolean, env: Environment): boolean {
  const force = env.FORCE_COLOR;
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  return terminal && env.TERM !== 'dumb';
}

const STDOUT = 1;

/**
 * Opens the terminal behind standard output a second time, so that O_NONBLOCK holds for this description alone: the
 * shell and standard error share the first. Undefined where the system has no such way (then Node's own stream
 * serves, which waits for a terminal).
 */
function openTerminal(): number | undefined {
  try {
    return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}

/** Standard output as the place for the console monitor's lines. */
export function standardOutput(env: Environment): Screen {
  const terminal = isatty(STDOUT);
  return {
    terminal,
    colour: wantsColour(terminal, env),
    open(listener: OutputListener): Output {
      const descriptor = terminal ? openTerminal() : undefined;
      if (descriptor !== undefined) return new TerminalOutput(descriptor, listener);
      return new StreamOutput(process.stdout, listener);
    },
  };
}
