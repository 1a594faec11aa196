import { BlockList, isIP } from 'node:net';
import { withoutBrackets } from './check-host.ts';
import { accept, type Checked, refuse } from './checked.ts';

const VALID =
  'http://host[:port] or https://host[:port], with a path in front of the API if a proxy adds one';

/**
 * The URL of the master without slashes at its end, so that paths can be appended; and without the begin of those of its
 * API, which a master says of itself.
 */
export function checkMasterUrl(text: string): Checked<string> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const url = `http://${text}`;
    return refuse('has no scheme', URL.canParse(url) && !text.includes('@') ? `${url} (or https://)` : VALID);
  }
  if (scheme !== 'http' && scheme !== 'https') return refuse('has a scheme that is not spoken', VALID);
  if (!URL.canParse(text)) return refuse('is no URL', VALID);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    return refuse(
      'has credentials in it',
      `${url.origin}${url.pathname} here, and the token as --master-token`,
    );
  }
  if (url.search !== '' || text.includes('?')) return refuse('has a query', VALID);
  if (url.hash !== '' || text.includes('#')) return refuse('has a fragment', VALID);
  return accept(`${url.origin}${url.pathname.replace(/(\/+api\/v1)?\/*$/, '')}`);
}

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/** Whether a host is on this machine or in a network of one's own, as far as its name or address tells. */
function isPrivateHost(host: string): boolean {
  const bare = withoutBrackets(host).toLowerCase();
  const family = isIP(bare);
  if (family !== 0) return PRIVATE.check(bare, family === 6 ? 'ipv6' : 'ipv4');
  return !bare.includes('.') || /\.(local|lan|internal|localhost|home\.arpa|ts\.net)$/.test(bare);
}

/** Plain HTTP over somebody else's network: token and history can be read on the way. */
export function isExposed(masterUrl: string): boolean {
  const url = new URL(masterUrl);
  return url.protocol === 'http:' && !isPrivateHost(url.hostname);
}
