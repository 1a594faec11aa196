import { describe, expect, it } from 'vitest';
import { DESCRIPTIVE_FIELDS, emptyFields } from '../../domain/connection.ts';
import { readRecord } from './reader.ts';

const counters = { upload: 1, download: 2 };
const read = (metadata: unknown, rest: Record<string, unknown> = {}) =>
  readRecord({ id: 'x', metadata, ...counters, ...rest })?.fields;

describe('readRecord', () => {
  it('reads a record of Mihomo', () => {
    const record = {
      id: '1d7d7f8e-8c9b-4a65-b7f0-2b6a0f1c2d03',
      metadata: {
        network: 'udp',
        type: 'Tun',
        sourceIP: 'fe80::1%eth0',
        destinationIP: '142.250.72.110',
        sourceGeoIP: null,
        destinationGeoIP: ['us'],
        sourceIPASN: '',
        destinationIPASN: '15169 GOOGLE',
        sourcePort: '55555',
        destinationPort: '443',
        inboundIP: '',
        inboundPort: '0',
        inboundName: 'DEFAULT-TUN',
        inboundUser: 'alice',
        rematchName: '',
        host: 'rr3.googlevideo.com',
        dnsMode: 'normal',
        uid: 4294967295,
        process: 'youtube',
        processPath: '/bin/youtube',
        specialProxy: 'p',
        specialRules: 'r',
        remoteDestination: 'sg.airport.example',
        dscp: 46,
        sniffHost: 's.googlevideo.com',
      },
      upload: 731002,
      download: 52428800,
      start: '2026-07-02T09:14:00.77+08:00',
      chains: ['🇸🇬 3', 'LB', 'Media'],
      providerChains: ['airport-a', '', ''],
      rule: 'GeoSite',
      rulePayload: 'youtube',
    };
    expect(readRecord(record)).toEqual({
      upload: 731002,
      download: 52428800,
      fields: {
        id: record.id,
        start: Date.parse('2026-07-02T01:14:00.770Z'),
        network: 'udp',
        conn_type: 'Tun',
        source_ip: 'fe80::1%eth0',
        destination_ip: '142.250.72.110',
        source_geoip: 'null',
        destination_geoip: '["us"]',
        source_ip_asn: '',
        destination_ip_asn: '15169 GOOGLE',
        source_port: '55555',
        destination_port: '443',
        inbound_ip: '',
        inbound_port: '0',
        inbound_name: 'DEFAULT-TUN',
        inbound_user: 'alice',
        host: 'rr3.googlevideo.com',
        dns_mode: 'normal',
        uid: 4294967295,
        process: 'youtube',
        process_path: '/bin/youtube',
        special_proxy: 'p',
        special_rules: 'r',
        remote_destination: 'sg.airport.example',
        dscp: 46,
        sniff_host: 's.googlevideo.com',
        chains: '["Media","LB","🇸🇬 3"]',
        rule: 'GeoSite',
        rule_payload: 'youtube',
        provider: 'airport-a',
      },
    });
  });

  it('needs nothing but an id and counters', () => {
    expect(readRecord({ id: 'x', ...counters })).toEqual({ fields: emptyFields('x'), ...counters });
    expect(read(null, { chains: null, providerChains: null, start: null })).toEqual(emptyFields('x'));
    expect(read([], { chains: {}, start: {} })).toEqual(emptyFields('x'));
  });

  it('reads clash-rs', () => {
    const fields = read({
      network: 'Tcp',
      type: 'HttpConnect',
      sourceIP: '127.0.0.1',
      sourcePort: 52144,
      destinationIP: '104.16.132.229(13335 CLOUDFLARENET)',
      destinationPort: 443,
      host: '104.16.132.229',
      asn: null,
      country: 'US',
      traffic_stats: null,
    });
    expect(fields).toMatchObject({
      network: 'tcp',
      conn_type: 'HttpConnect',
      source_port: '52144',
      destination_port: '443',
      destination_ip: '104.16.132.229',
      destination_ip_asn: '13335 CLOUDFLARENET',
      destination_geoip: '["us"]',
      host: '',
    });
  });

  it('reads sing-box, whose type names the inbound', () => {
    const metadata = { type: 'mixed/mixed-in', processPath: '/usr/bin/curl (user)', dnsMode: 'normal' };
    const fields = read(metadata, { rule: 'rule_set=geosite-cn => route(direct)', chains: null });
    expect(fields).toMatchObject({
      conn_type: 'mixed/mixed-in',
      process: '',
      process_path: '/usr/bin/curl (user)',
      rule: 'rule_set=geosite-cn => route(direct)',
      chains: '[]',
    });
  });

  it('moves an address out of the host, unless the destination is another one', () => {
    expect(read({ host: '[2001:db8::1]' })).toMatchObject({ host: '', destination_ip: '2001:db8::1' });
    expect(read({ host: '1.1.1.1', destinationIP: '1.1.1.1' })).toMatchObject({ host: '' });
    expect(read({ host: '1.1.1.1', destinationIP: '2.2.2.2' })).toMatchObject({ host: '1.1.1.1' });
  });

  it.each([
    [null, 'null'],
    [undefined, 'null'],
    ['', 'null'],
    [[], '[]'],
    [['CN', 'private'], '["cn","private"]'],
    ['US', '["us"]'],
    [[null, 3, 'de'], '["de"]'],
    [Array.from({ length: 500 }, () => 'aa'), `[${Array.from({ length: 51 }, () => '"aa"').join(',')}]`],
  ])('reads geoip %j', (value, text) => {
    expect(read({ destinationGeoIP: value })?.destination_geoip).toBe(text);
  });

  it.each([
    ['2026-07-02T01:14:03Z', '2026-07-02T01:14:03.000Z'],
    ['2026-07-02T09:14:03.1+05:30', '2026-07-02T03:44:03.100Z'],
    ['2026-07-02T09:14:03.123456789-03:30', '2026-07-02T12:44:03.123Z'],
    ['2026-07-02T09:14:03.999999999+08:00', '2026-07-02T01:14:03.999Z'],
    [1_782_954_843_000, '2026-07-02T01:14:03.000Z'],
  ])('reads start %j', (value, iso) => {
    expect(read({}, { start: value })?.start).toBe(Date.parse(iso));
  });

  it.each(['0001-01-01T00:00:00Z', '2026-13-01T00:00:00Z', '2026-07-02', '', 'now', -5, null, true, 1e300])(
    'takes start %j as unknown',
    (value) => {
      expect(read({}, { start: value })?.start).toBe(0);
    },
  );

  it.each([-1, 1.5, 2 ** 53, 1e300, '', 'x', '-1', '1e3', null, undefined, true, [], '9007199254740992'])(
    'cannot use a counter of %j',
    (value) => {
      expect(readRecord({ id: 'x', upload: value, download: 0 })).toBeUndefined();
      expect(readRecord({ id: 'x', upload: 0, download: value })).toBeUndefined();
    },
  );

  it('reads counters that are texts, and -0', () => {
    expect(readRecord({ id: 'x', upload: '9007199254740991', download: -0 })).toMatchObject({
      upload: 2 ** 53 - 1,
      download: 0,
    });
  });

  it.each([null, 3, 'x', [], {}, { id: 5 }, { id: '' }, { id: 'x'.repeat(129) }])('refuses %j', (value) => {
    expect(
      readRecord(typeof value === 'object' && !Array.isArray(value) ? { ...value, ...counters } : value),
    ).toBeUndefined();
  });

  it('cuts what is too long without halving a character, and mends lone surrogates', () => {
    expect(read({ host: `${'a'.repeat(252)}😀` })?.host).toBe('a'.repeat(252));
    expect(read({ host: 'a\ud83d' })?.host).toBe('a\ufffd');
    const long = Object.fromEntries(
      ['network', 'type', 'sourceIP', 'host', 'dnsMode', 'process', 'processPath', 'sniffHost'].map((key) => [
        key,
        '\ud83d\ude00\ud83d'.repeat(4000),
      ]),
    );
    const fields = read(long, { rule: 'İ'.repeat(500), chains: Array(99).fill('\u0001"'.repeat(99)) });
    for (const { name, type, max } of DESCRIPTIVE_FIELDS) {
      if (type === 'text') expect(String(fields?.[name]).length, name).toBeLessThanOrEqual(max);
    }
    expect(JSON.stringify(fields)).not.toMatch(/\\ud/);
    expect(Array.isArray(JSON.parse(fields?.chains ?? ''))).toBe(true);
  });

  it('keeps the group and the exit of a chain that is too long', () => {
    const chains = Array.from({ length: 40 }, (_, i) => `n${i}`);
    const kept = JSON.parse(read({}, { chains })?.chains ?? '') as string[];
    expect(kept).toHaveLength(32);
    expect([kept[0], kept.at(-1)]).toEqual(['n39', 'n0']);
  });
});
