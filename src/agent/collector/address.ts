import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/** Where a core's controller listens. */
export interface CoreAddress {
  /** Name or address, without brackets; `localhost` with a Unix socket. */
  host: string;
  port: number;
  secure: boolean;
  /** What a reverse proxy puts before the controller's paths, without a slash at its end; mostly `''`. */
  basePath: string;
  /** Path of the Unix socket, which is used instead of host and port. */
  socketPath: string | undefined;
}

export type ParsedAddress = { ok: true; address: CoreAddress } | { ok: false; problem: string };

const WITH_SCHEME = /^([a-z][a-z+.-]*):\/\/(.*)$/i;
const AUTHORITY = /^(\[[^\]]*\]|[^:[\]/]*)(?::(\d*))?(\/.*)?$/;

/**
 * Reads `--mihomo-host`: `1.2.3.4`, `::1`, `name`, `unix:/path`, `http://host`, `https://host`; a port or a path behind the host
 * is taken too, and the port is then preferred to `port`. Answers the problem in words for the user otherwise.
 */
export function parseCoreAddress(hostFlag: string, port: number): ParsedAddress {
  const text = hostFlag.trim();
  if (text === '') return problem('is empty');
  if (text.startsWith('unix:')) {
    const socketPath = text.slice(5).replace(/^\/\/(?=\/)/, '');
    if (socketPath === '') return problem('names no path after "unix:"');
    return { ok: true, address: { host: 'localhost', port: 80, secure: false, basePath: '', socketPath } };
  }
  if (isIPv6(text)) return withHost(text, port, false, '');
  const [, scheme = 'http', rest = text] = WITH_SCHEME.exec(text) ?? [];
  const secure = scheme.toLowerCase() === 'https';
  if (!secure && scheme.toLowerCase() !== 'http')
    return problem(`has the scheme "${scheme}"; use http, https or unix`);
  if (rest.includes('@')) return problem('holds a user name; the secret belongs in --mihomo-token');
  if (/[?#]/.test(rest)) return problem('holds a query');
  const parts = AUTHORITY.exec(rest);
  if (parts === null) return problem('is no host name and no address');
  const [, authority = '', portText, path = ''] = parts;
  if (path !== '' && !WITH_SCHEME.test(text)) return problem('holds a path; write it as a URL');
  const host = authority.replace(/^\[(.*)\]$/, '$1');
  if (authority !== host && !isIPv6(host)) return problem(`has no IPv6 address in brackets: ${authority}`);
  return withHost(host, portText === undefined ? port : Number(portText || Number.NaN), secure, path);
}

function withHost(host: string, port: number, secure: boolean, path: string): ParsedAddress {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return problem('has a port that is none (1 to 65535)');
  if (isIP(host) === 0 && !isName(host)) return problem('is no host name and no address');
  return {
    ok: true,
    address: { host, port, secure, basePath: path.replace(/\/+$/, ''), socketPath: undefined },
  };
}

function isName(host: string): boolean {
  const ascii = domainToASCII(host);
  // What looks like an address and is none (1.2.3, 999.1.1.1) is a slip of the pen, not a name.
  return /^[a-z0-9_.-]{1,253}$/i.test(ascii) && !/^[\d.]+$/.test(host);
}

function problem(text: string): ParsedAddress {
  return { ok: false, problem: text };
}
