/**
 * Addresses as 128-bit numbers, IPv4 as `::ffff:a.b.c.d`, so that one comparison answers any range or CIDR.
 */
const MAPPED_V4 = 0xffffn << 32n;

function v4Number(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let number = 0n;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return null;
    number = (number << 8n) | BigInt(part);
  }
  return number;
}

/** 16-bit groups of one side of `::`; at the end of the address the last may be dotted (two groups). */
function groups(text: string, atEnd: boolean): bigint[] | null {
  if (text === '') return [];
  const found: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = atEnd && index === parts.length - 1 ? v4Number(part) : null;
      if (v4 === null) return null;
      found.push(v4 >> 16n, v4 & 0xffffn);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return null;
      found.push(BigInt(`0x${part}`));
    }
  }
  return found;
}

function v6Number(text: string): bigint | null {
  const sides = text.split('::');
  if (sides.length > 2) return null;
  const head = groups(sides[0] ?? '', sides.length === 1);
  const tail = sides.length === 2 ? groups(sides[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 2 ? missing < 1 : missing !== 0) return null;
  const all = [...head, ...new Array<bigint>(missing).fill(0n), ...tail];
  return all.reduce((number, group) => (number << 16n) | group, 0n);
}

/**
 * The number of an address, or null for what is none. A zone id (`fe80::1%eth0`) names an interface of the
 * machine that reported it and is no part of the address.
 */
export function addressNumber(text: string): bigint | null {
  const bare = text.split('%', 1)[0] ?? '';
  if (bare.includes(':')) return v6Number(bare);
  const v4 = v4Number(bare);
  return v4 === null ? null : MAPPED_V4 | v4;
}
