import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Where a client is, as far as its address tells. */
export type AddressClass = 'loopback' | 'private' | 'link-local' | 'other';

function ranges(...cidrs: [network: string, prefix: number, type: 'ipv4' | 'ipv6'][]): BlockList {
  const list = new BlockList();
  for (const [network, prefix, type] of cidrs) list.addSubnet(network, prefix, type);
  return list;
}

const LOOPBACK = ranges(['127.0.0.0', 8, 'ipv4'], ['::1', 128, 'ipv6']);
// RFC 1918 and ULA. 100.64.0.0/10 (CGNAT) is left out on purpose: behind one lie strangers of the same provider.
const PRIVATE = ranges(
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['fc00::', 7, 'ipv6'],
);
const LINK_LOCAL = ranges(['169.254.0.0', 16, 'ipv4'], ['fe80::', 10, 'ipv6']);

/** The address without zone, and IPv4 as IPv4 where a dual-stack socket shows it mapped into IPv6. */
export function normalizeAddress(address: string): string {
  const plain = address.split('%')[0]!.toLowerCase();
  const mapped = /^(?:0{0,4}:){2,5}ffff:(?<v4>\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.groups?.v4;
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  const hex = /^(?:0{0,4}:){2,5}ffff:(?<high>[0-9a-f]{1,4}):(?<low>[0-9a-f]{1,4})$/.exec(plain)?.groups;
  if (hex === undefined) return plain;
  const bits = Number.parseInt(hex.high!, 16) * 0x10000 + Number.parseInt(hex.low!, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}

export function classifyAddress(address: string): AddressClass {
  const plain = normalizeAddress(address);
  const type = isIPv4(plain) ? 'ipv4' : isIPv6(plain) ? 'ipv6' : undefined;
  if (type === undefined) return 'other';
  if (LOOPBACK.check(plain, type)) return 'loopback';
  if (PRIVATE.check(plain, type)) return 'private';
  return LINK_LOCAL.check(plain, type) ? 'link-local' : 'other';
}

/** Whether what listens on this host can be reached from elsewhere. */
export function isReachable(listenHost: string): boolean {
  return listenHost !== 'localhost' && classifyAddress(listenHost) !== 'loopback';
}

/** The key under which failures are counted: an IPv6 client owns a /64, so its last half says nothing. */
export function clientKey(address: string): string {
  const plain = normalizeAddress(address);
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':');
    while (groups.length + rest.length < 8) groups.push('0');
    groups.push(...rest);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
