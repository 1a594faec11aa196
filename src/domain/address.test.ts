import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressNumber } from './address.ts';

describe('addressNumber', () => {
  it.each([
    ['0.0.0.0', 0xffff00000000n],
    ['192.168.1.2', 0xffffc0a80102n],
    ['::ffff:192.168.1.2', 0xffffc0a80102n],
    ['::', 0n],
    ['::1', 1n],
    ['2001:db8::1', 0x20010db8000000000000000000000001n],
    ['1:2:3:4:5:6:7:8', 0x00010002000300040005000600070008n],
    ['fe80::1%eth0', 0xfe800000000000000000000000000001n],
    ['2001:DB8::', 0x20010db8000000000000000000000000n],
  ])('%s', (text, number) => {
    expect(addressNumber(text)).toBe(number);
  });

  it.each([
    '',
    'garbage',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.x',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
    '12345::',
    '1.2.3.4::',
    '%eth0',
  ])('%j is no address', (text) => {
    expect(addressNumber(text)).toBeNull();
  });

  it('takes what the platform takes as an address', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 12 }));
    fc.assert(
      fc.property(address, (text) => {
        if (!text.includes('%')) expect(addressNumber(text) !== null).toBe(isIP(text) !== 0);
      }),
    );
  });
});
