import { type Logger, pino } from 'pino';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * The structured log: JSON lines on standard error, apart from the console monitor's lines on standard output.
 * Secrets never enter it: known keys are redacted here, bodies and raw feed are never given to it.
 */
export function createLogger(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: [
          'token',
          'secret',
          'authorization',
          '*.token',
          '*.secret',
          '*.authorization',
          'headers.authorization',
        ],
        censor: '[hidden]',
      },
    },
    pino.destination({ dest: 2, sync: false }),
  );
}

/** A logger for tests and tools that says nothing. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
