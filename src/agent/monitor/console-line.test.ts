import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { byteSize } from '../../common/byte-size.ts';
import { emptyFields } from '../../domain/connection.ts';
import { type ConsoleEvent, consoleLine } from './console-line.ts';
import { wantsColour } from './standard-output.ts';
import { cut, padEnd, widthOf } from './width.ts';

const at = new Date(2026, 6, 1, 9, 5, 7).getTime();
const fields = {
  ...emptyFields('6f9619ff-8b86-d011-b42d-00cf4fc964ff'),
  network: 'tcp',
  source_ip: '192.168.1.20',
  source_port: '51324',
  destination_ip: '142.250.1.1',
  destination_port: '443',
  host: 'www.example.com',
  rule: 'RuleSet',
  rule_payload: 'Google',
  chains: '["Proxy","HK 01"]',
};
const bytes = { download: 3_565_158, upload: 1229 };
const plain = { aligned: false, colour: false };

describe('lines in a pipe', () => {
  test('opened', () => {
    expect(consoleLine({ kind: 'open', at, fields }, plain)).toBe(
      '2026-07-01 09:05:07 open tcp 192.168.1.20:51324 → www.example.com:443 RuleSet (Google) | Proxy → HK 01',
    );
  });

  test('closed, with totals and the id', () => {
    expect(consoleLine({ kind: 'close', at, fields, ...bytes }, plain)).toBe(
      '2026-07-01 09:05:07 close tcp 192.168.1.20:51324 → www.example.com:443 ↑ 1.20 KiB ↓ 3.40 MiB total 3.40 MiB 6f9619ff-8b86-d011-b42d-00cf4fc964ff',
    );
  });

  test('traffic of a live connection', () => {
    expect(
      consoleLine({ kind: 'traffic', at, fields, deltaDownload: 1024, deltaUpload: 5, ...bytes }, plain),
    ).toBe(
      '2026-07-01 09:05:07 traffic tcp 192.168.1.20:51324 → www.example.com:443 ↑ +5 B ↓ +1.00 KiB total 3.40 MiB',
    );
  });

  test('without host the address stands, IPv6 in brackets; without either a question mark', () => {
    const line = (more: object) =>
      consoleLine({ kind: 'open', at, fields: { ...fields, host: '', rule_payload: '', ...more } }, plain);
    expect(line({})).toContain('→ 142.250.1.1:443 RuleSet |');
    expect(line({ destination_ip: '2001:db8::1', source_ip: 'fd00::2' })).toContain(
      '[fd00::2]:51324 → [2001:db8::1]:443',
    );
    expect(line({ destination_ip: '' })).toContain('→ ?:443');
  });

  test('a long host keeps its end, where the site is', () => {
    const host = `${'www.paypal.com.'.repeat(10)}evil.example`;
    const line = consoleLine({ kind: 'open', at, fields: { ...fields, host } }, plain);
    expect(line).toMatch(/→ …\S{51}evil\.example:443/);
  });

  test('a chain of hundreds is shortened in the middle', () => {
    const chains = JSON.stringify(Array.from({ length: 300 }, (_, i) => `n${i}`));
    expect(consoleLine({ kind: 'open', at, fields: { ...fields, chains } }, plain)).toContain(
      'n0 → n1 → n2 → n3 → … → n297 → n298 → n299',
    );
  });
});

describe('lines on a terminal', () => {
  const events: ConsoleEvent[] = [
    { kind: 'open', at, fields },
    { kind: 'open', at, fields: { ...fields, source_ip: '10.0.0.1', host: '例子.测试', network: 'udp' } },
    { kind: 'close', at, fields: { ...fields, host: 'a.b' }, ...bytes },
  ];

  test('columns are aligned, wide characters counted twice, the time short', () => {
    const starts = events.map((event) => {
      const line = consoleLine(event, { aligned: true, colour: false });
      expect(line).toMatch(/^09:05:07 (open {3}|close {2}) (tcp|udp) /);
      const detail = line.search(/RuleSet|↑/);
      return [widthOf(line.slice(0, line.indexOf('→'))), widthOf(line.slice(0, detail))];
    });
    expect(new Set(starts.map(String)).size).toBe(1);
  });

  test('colours do not change the text', () => {
    for (const event of events) {
      const line = consoleLine(event, { aligned: true, colour: true });
      expect(line).toContain('\u001b[');
      expect(stripVTControlCharacters(line)).toBe(consoleLine(event, { aligned: true, colour: false }));
    }
  });

  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '', NO_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
  ])('terminal %s with %j: colour %s', (terminal, env, colour) => {
    expect(wantsColour(terminal, env)).toBe(colour);
  });
});

test.each([
  ['abc', 3],
  ['香港', 4],
  ['한국', 4],
  ['ｆｕｌｌ', 8],
  ['🇭🇰 HK', 5],
  ['✈️', 2],
  ['🚀', 2],
  ['é', 1],
  ['e\u0301', 1],
  ['', 0],
])('%s takes %i columns', (text, width) => {
  expect(widthOf(text)).toBe(width);
  expect(widthOf(padEnd(text, 10))).toBe(10);
});

test('cutting never splits a character and never exceeds the columns', () => {
  expect(cut('abcdef', 4)).toBe('abc…');
  expect(cut('abcdef', 4, true)).toBe('…def');
  expect(cut('香港香港', 6)).toBe('香港…');
  expect(cut('香港香港', 6, true)).toBe('…香港');
  expect(cut('🇭🇰🇭🇰🇭🇰', 4)).toBe('🇭🇰…');
  expect(cut('香港', 4)).toBe('香港');
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [1024 * 1024 - 1, '1.00 MiB'],
  [5 * 1024 ** 3, '5.00 GiB'],
  [Number.MAX_SAFE_INTEGER, '8.00 PiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(byteSize(bytes)).toBe(text);
});
