import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { CodedError } from '../../common/errors.ts';

/** The name in a Host header, lower case, without port, brackets and trailing dot; null when it is malformed. */
export function hostName(header: string): string | null {
  const match = /^(?:\[(?<v6>[0-9a-f:.%]+)\]|(?<name>[^\s:[\]/@]+))(?::\d{1,5})?$/i.exec(header.trim());
  const name = match?.groups?.v6 ?? match?.groups?.name;
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, '');
}

/**
 * Against DNS rebinding: where the address alone gives rights, a page whose own name was pointed at this machine
 * must not pass as a neighbour. Such a page always carries its name in Host, so only literal addresses and names
 * known to be ours are served. Where a token is needed the page has none, and any name will do.
 */
export class HostGuard {
  readonly #allowed: ReadonlySet<string>;

  constructor(listenHost: string, allowHosts: readonly string[]) {
    const names = ['localhost', listenHost, hostname(), ...allowHosts];
    this.#allowed = new Set(names.map((name) => hostName(name) ?? '').filter((name) => name !== ''));
  }

  /** Throws `host_refused`. */
  check(header: string | undefined): void {
    const name = header === undefined ? null : hostName(header);
    if (name !== null && (isIP(name) !== 0 || this.#allowed.has(name))) return;
    throw new CodedError('host_refused', 'this master does not answer to that Host name');
  }
}
