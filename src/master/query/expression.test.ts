import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressNumber } from '../../domain/address.ts';
import { countryOf, groupOf, nodeOf, parseChains, routeOf } from '../../domain/dimensions.ts';
import { parseFilter } from '../../domain/filter/parser.ts';
import { printFilter } from '../../domain/filter/print.ts';
import type { Filter, Test } from '../../domain/filter/tree.ts';
import { addressRange, bareHost, cidrRange, numberRange } from '../../domain/filter/values.ts';
import { siteOf } from '../store/dictionary-values.ts';
import { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { fact, lotOf } from '../store/facts.test-support.ts';
import type { Fact } from '../store/store.ts';
import { expression } from './expression.ts';
import { sql } from './sql.ts';

const HOSTS = [
  '',
  'www.Example.com',
  'example.com',
  'notexample.com',
  'a.b.co.uk',
  '节点.example',
  'x%y_z',
  'ÄÖ.de',
];
const DEVICES = [
  '',
  '192.168.1.7',
  '10.0.0.1',
  '10.255.0.1',
  '::1',
  'fd00::7',
  'ffff:ffff::1',
  'fe80::1%eth0',
];
const CHAINS = [
  '[]',
  '["DIRECT"]',
  '["Proxy","HK 1"]',
  '["Proxy","US\\"1"]',
  '["REJECT"]',
  '["A","B","hk 1"]',
];
const RULES: [string, string][] = [
  ['', ''],
  ['Match', ''],
  ['DomainSuffix', 'example.com'],
  ['GeoIP', "'; DROP TABLE minute; --"],
];

/** Each combination of a few values once; connection i + 1 is fact i. */
const FACTS: Fact[] = HOSTS.flatMap((host, h) =>
  DEVICES.map((source_ip, d) => {
    const [rule = '', rule_payload = ''] = RULES[(h + d) % RULES.length] ?? [];
    return fact({
      conn: 1 + h * DEVICES.length + d,
      agent: d % 2 === 0 ? 'home' : 'office',
      recovered: (h + d) % 3 === 0,
      fields: {
        host,
        source_ip,
        rule,
        rule_payload,
        destination_ip: DEVICES[(h * 3 + d) % DEVICES.length] ?? '',
        destination_port: ['', '0', '443', '8080', '65535'][(h + 2 * d) % 5] ?? '',
        chains: CHAINS[(h * d) % CHAINS.length] ?? '[]',
        process: ['', 'curl', 'Steam', 'steam helper'][d % 4] ?? '',
        network: h % 2 === 0 ? 'tcp' : 'udp',
        destination_geoip: d % 2 === 0 ? '["de","x"]' : 'null',
      },
    });
  }),
);

let directory: string;
let store: EmbeddedFactStore;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'expression-'));
  store = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 1 });
  await store.start();
  await store.append(lotOf(1, FACTS), [FACTS]);
});
afterAll(async () => {
  await store.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function found(filter: Filter): Promise<number[]> {
  const query = sql`SELECT conn FROM minute WHERE ${expression(filter)} ORDER BY conn`.render();
  return (await store.read((run) => run(query))).map((row) => Number(row.conn));
}

/** The text of a dimension, read from the connection without any dictionary. */
function textOf({ agent, fields, recovered }: Fact, name: string): string {
  if (fields === null) throw new Error('a fact of a connection');
  const chains = parseChains(fields.chains);
  const derived: Record<string, () => string> = {
    agent: () => agent,
    device: () => fields.source_ip,
    site: () => siteOf(fields.host),
    payload: () => fields.rule_payload,
    group: () => groupOf(chains),
    node: () => nodeOf(chains),
    chain: () => fields.chains,
    route: () => routeOf(nodeOf(chains)),
    country: () => countryOf(fields.destination_geoip),
    asn: () => fields.destination_ip_asn.trim(),
    recovered: () => String(recovered),
  };
  return derived[name]?.() ?? String(fields[name as keyof typeof fields]);
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

/** The same question, asked of one fact in plain TypeScript. */
function matches(filter: Filter, one: Fact): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => matches(part, one));
    case 'or':
      return filter.parts.some((part) => matches(part, one));
    case 'not':
      return !matches(filter.of, one);
    case 'word': {
      const rule = textOf(one, 'rule');
      const payload = textOf(one, 'payload');
      const texts = ['host', 'process', 'device', 'node'].map((name) => textOf(one, name));
      return [...texts, payload === '' ? rule : `${rule} (${payload})`].some((text) =>
        contains(text, filter.text),
      );
    }
    case 'test':
      return passes(filter, one);
  }
}

function passes({ field, op, values }: Test, one: Fact): boolean {
  const opposite = { '!=': '=', '!~': '~', 'not in': 'in', 'not empty': 'empty' } as const;
  if (op in opposite) return !passes({ kind: 'test', field, op: opposite[op as '!='], values }, one);
  const text = textOf(one, field);
  const [first = ''] = values;
  if (op === 'empty') return text === '';
  if (field === 'device' || field === 'destination_ip') {
    const number = addressNumber(text);
    const ranges = values.map((value) => (op === 'under' ? cidrRange(value) : addressRange(value)));
    return (
      number !== null && ranges.some((range) => range !== null && range.low <= number && number <= range.high)
    );
  }
  if (field === 'destination_port') {
    const port = Number(text);
    if (op === '<') return port < Number(first);
    if (op === '<=') return port <= Number(first);
    if (op === '>') return port > Number(first);
    if (op === '>=') return port >= Number(first);
    return values.map(numberRange).some((range) => range !== null && range.low <= port && port <= range.high);
  }
  if (op === '~') return contains(text, first);
  if (op === '=~') return new RegExp(first, 'u').test(text);
  if (op === 'under')
    return text.toLowerCase() === bareHost(first) || text.toLowerCase().endsWith(`.${bareHost(first)}`);
  return values.includes(text);
}

async function same(text: string): Promise<number> {
  const parsed = parseFilter(text, { of: 'facts' });
  if (!parsed.ok || parsed.filter === null) throw new Error(`unreadable: ${text} ${JSON.stringify(parsed)}`);
  const { filter } = parsed;
  const expected = FACTS.filter((one) => matches(filter, one)).map((one) => one.conn);
  expect(await found(filter), text).toEqual(expected);
  return expected.length;
}

describe('a filter as SQL', () => {
  it.each([
    'host = www.Example.com',
    'host under Example.com',
    'site under example.com and host != example.com',
    'host ~ EXAMPLE',
    'host ~ "%"',
    'host ~ "äö"',
    'host =~ "^(www|a)[.]"',
    'host is empty or process is not empty',
    'device in (10.0.0.1-10.0.0.9, ::1)',
    'device = ffff:ffff::1',
    'device under 10.0.0.0/8',
    'device under fd00::/8',
    'destination_ip != 10.0.0.1',
    'not device under 0.0.0.0/0',
    'destination_port = 8000-8999',
    'destination_port < 443 or destination_port >= 65535',
    'destination_port not in (443, 8080)',
    'route = proxied',
    'node in ("HK 1", DIRECT)',
    'node ~ "hk 1"',
    'group = Proxy',
    'payload ~ "\'; DROP"',
    'chain ~ "\\""',
    'recovered = true',
    'agent in (office)',
    'country = DE',
    'steam',
    '"match" or "10.255"',
    'not (network = udp or process ~ steam) and not recovered = true',
  ])('%s', async (text) => {
    expect(await same(text)).toBeGreaterThan(0);
  });

  it('finds what a reading of each fact finds', async () => {
    const values = fc.constantFrom(
      ...HOSTS.slice(1),
      'e',
      'hk',
      'Proxy',
      'proxied',
      'tcp',
      'curl',
      "'",
      '\\',
      '%',
      '_',
    );
    const quoted = values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`);
    const part = fc.oneof(
      quoted,
      fc
        .tuple(
          fc.constantFrom('host', 'site', 'node', 'group', 'process', 'rule', 'payload', 'network', 'agent'),
          fc.constantFrom('=', '!='),
          quoted,
        )
        .map((parts) => parts.join(' ')),
      fc
        .tuple(fc.constantFrom('host', 'node', 'payload'), fc.constantFrom('~', '!~'), quoted)
        .map((parts) => parts.join(' ')),
      fc.constantFrom(...DEVICES.slice(1, 7)).map((address) => `device = ${address}`),
      fc
        .tuple(fc.constantFrom(...DEVICES.slice(1, 4)), fc.nat(32))
        .map(([ip, bits]) => `destination_ip under ${ip}/${bits}`),
      fc
        .tuple(fc.constantFrom('<', '<=', '>', '>=', '=', '!='), fc.nat(70_000))
        .map(([op, n]) => `destination_port ${op} ${n}`),
    );
    const text = fc
      .array(fc.tuple(fc.constantFrom('and', 'or', 'and not', 'or not'), part), {
        minLength: 1,
        maxLength: 5,
      })
      .map((parts) => parts.map(([joint, one], i) => (i === 0 ? one : `${joint} ${one}`)).join(' '));
    await fc.assert(
      fc.asyncProperty(text, async (given) => void (await same(given))),
      { numRuns: 300 },
    );
  });

  it('has no text of a user in the statement', () => {
    const evil = '"\'; DROP TABLE minute; --"';
    const text = `host = ${evil} or ${evil} or node in (${evil}, ${evil}) or payload =~ ${evil} or site under ${evil}`;
    const parsed = parseFilter(text, { of: 'facts' });
    if (!parsed.ok || parsed.filter === null) throw new Error('unreadable');
    expect(printFilter(parsed.filter)).toContain('DROP TABLE');
    expect(sql`SELECT ${expression(parsed.filter)}`.render().text).not.toMatch(/DROP|drop/);
  });
});
