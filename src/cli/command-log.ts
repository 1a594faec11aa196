import { isatty } from 'node:tty';
import { createLogger, type Logger, type LogLevel } from '../common/logger.ts';
import { terminalLine } from './terminal-line.ts';

const STDERR = 2;

/** The log of a command: for programs as JSON, and for whoever sits at a terminal to be read. */
export function commandLogger(level: LogLevel): Logger {
  return createLogger(level, isatty(STDERR) ? terminalLine : undefined);
}
