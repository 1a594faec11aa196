import { type Logger, pino } from 'pino';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * The structured log: JSON lines on standard error, apart from the console monitor's lines on standard output.
 * Secrets never enter it: known keys are redacted here, bodies and raw feed are never given to it.
 * `rewrite` makes of each line what is written instead.
 */
export function createLogger(level: LogLevel, rewrite?: (line: string) => string): Logger {
  const destination = pino.destination({ dest: 2, sync: false });
  const output = rewrite === undefined ? destination : rewritten(destination, rewrite);
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
    output,
  );
}

type Destination = Pick<ReturnType<typeof pino.destination>, 'write' | 'flushSync'>;

function rewritten(destination: Destination, rewrite: (line: string) => string): Destination {
  return {
    write: (line) => destination.write(rewrite(line)),
    // Pino asks for it at a fatal line, after which the program may be gone.
    flushSync: () => destination.flushSync(),
  };
}

/** A logger for tests and tools that says nothing. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
