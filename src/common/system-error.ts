import { CodedError } from './errors.ts';

/**
 * A refusal of the operating system (no right, no space, no such place) in the words of the catalogue; anything else as
 * it is. `what` says what could not be done.
 */
export function systemError(error: unknown, what: string): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof CodedError || code === undefined || syscall === undefined) return error;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new CodedError(isFull ? 'disk_full' : 'file_unusable', `${what}: ${message}`, { cause: error });
}

/** Does something with files; its refusals are explained by `systemError`. */
export function explaining<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw systemError(error, what);
  }
}
