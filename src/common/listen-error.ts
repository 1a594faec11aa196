import { CodedError } from './errors.ts';

/** Why a port cannot be listened on, as a coded error (`address_in_use`, `address_unusable`); others pass unchanged. */
export function listenError(error: unknown, host: string, port: number): unknown {
  switch ((error as { code?: string }).code) {
    case 'EADDRINUSE':
      return new CodedError('address_in_use', `${host} port ${port} is in use`, { cause: error });
    case 'EACCES':
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new CodedError('address_unusable', `cannot listen on ${host} port ${port}`, { cause: error });
    default:
      return error;
  }
}
