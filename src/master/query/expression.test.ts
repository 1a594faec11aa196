import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFilter } from '../../domain/filter/parser.ts';
import { printFilter } from '../../domain/filter/print.ts';
import type { Filter } from '../../domain/filter/tree.ts';
import { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { fact, lotOf } from '../store/facts.test-support.ts';
import type { Fact } from '../store/store.ts';
import { expression } from './expression.ts';
import { wallClock } from './hour-of-week.ts';
import { matches } from './naive-filter.test-support.ts';
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

/** All facts lie in the default minute of `fact`. */
const HOUR = 24 * 2 + 5;
const CLOCK = wallClock('Asia/Kathmandu', [{ from: FACTS[0]?.bucket ?? 0, to: (FACTS[0]?.bucket ?? 0) + 1 }]);

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
  const query =
    sql`SELECT conn FROM minute WHERE ${expression(filter, CLOCK.hourOfWeek)} ORDER BY conn`.render();
  return (await store.read((run) => run(query))).map((row) => Number(row.conn));
}

async function same(text: string): Promise<number> {
  const parsed = parseFilter(text, { of: 'facts' });
  if (!parsed.ok || parsed.filter === null) throw new Error(`unreadable: ${text} ${JSON.stringify(parsed)}`);
  const { filter } = parsed;
  const expected = FACTS.filter((one) => matches(filter, one, HOUR)).map((one) => one.conn);
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
    expect(sql`SELECT ${expression(parsed.filter, CLOCK.hourOfWeek)}`.render().text).not.toMatch(/DROP|drop/);
  });
});
