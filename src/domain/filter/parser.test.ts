import { describe, expect, it } from 'vitest';
import type { FilterSubject } from './fields.ts';
import { MAX_DEPTH, MAX_FILTER, MAX_TESTS, parseFilter } from './parser.ts';
import { printFilter } from './print.ts';

const CONNECTIONS = {
  of: 'connections',
  known: { agent: ['home', 'office'], network: ['tcp', 'udp'] },
} as const;

/** The canonical text, or what is wrong: the text at the place, and the problem. */
function read(text: string, of: FilterSubject = 'connections'): string | [string, string, string][] {
  const parsed = parseFilter(text, { ...CONNECTIONS, of });
  if (parsed.ok) return parsed.filter === null ? '' : printFilter(parsed.filter);
  return parsed.errors.map(({ at, problem, hint }) => [text.slice(...at), problem, hint]);
}

describe('a filter', () => {
  it.each([
    ['', ''],
    ['  ', ''],
    ['youtube', 'youtube'],
    ['"two words" \n steam', '"two words" and steam'],
    ['a or b c', 'a or b and c'],
    ['(a or b) c', '(a or b) and c'],
    ['a and (b and (c and d))', 'a and b and c and d'],
    ['not a and b', 'not a and b'],
    ['not (a or not b)', 'not (a or not b)'],
    ['NOT Host ~ x OR y', 'not host ~ x or y'],
    ['host=example.com', 'host = example.com'],
    ['host!=example.com and site !~ ads', 'host != example.com and site !~ ads'],
    ['host =~ "^a|b$"', 'host =~ "^a|b$"'],
    ['route = proxied and site under example.com', 'route = proxied and site under example.com'],
    ['not (device = 192.168.1.7 or process ~ steam)', 'not (device = 192.168.1.7 or process ~ steam)'],
    [
      'device under 10.0.0.0/8 or destination_ip under fd00::/8',
      'device under 10.0.0.0/8 or destination_ip under fd00::/8',
    ],
    ['device in (10.0.0.1-10.0.0.9, ::1)', 'device in (10.0.0.1-10.0.0.9, ::1)'],
    ['node not in (HK, "US 1")', 'node not in (HK, "US 1")'],
    ['process is empty or host is not empty', 'process is empty or host is not empty'],
    ['destination_port = 8000-8999', 'destination_port = 8000-8999'],
    ['destination_port >= 1024', 'destination_port >= 1024'],
    ['agent in (home, office) network = udp', 'agent in (home, office) and network = udp'],
    ['download > 1.5GiB age > 2h', 'download > 1.5GiB and age > 2h'],
    ['rule not process = x', 'rule and not process = x'],
    ['"and" "not" "in"', '"and" and "not" and "in"'],
    ['host = "a\\"b\\\\c\\u000a"', 'host = "a\\"b\\\\c\\u000a"'],
    ['名 节点', '名 and 节点'],
  ])('%s', (text, canonical) => {
    expect(read(text)).toEqual(canonical);
    if (typeof canonical === 'string' && canonical !== '') expect(read(canonical)).toBe(canonical);
  });
});

describe('a filter that cannot be read', () => {
  it('names the nearest field, or all of them', () => {
    expect(read('hots = x')).toEqual([['hots', 'there is no field "hots"', 'do you mean host?']]);
    const [[, problem, hint] = []] = read('colour = x') as [string, string, string][];
    expect(problem).toBe('there is no field "colour"');
    expect(hint).toMatch(/^fields are agent, device, site, host, .*state$/);
  });

  it('says several things at once, each at its place', () => {
    expect(read('hots = x and device = 300.1.1.1 or destination_port < y')).toMatchObject([
      ['hots', 'there is no field "hots"', 'do you mean host?'],
      [
        '300.1.1.1',
        '"300.1.1.1" is neither an address nor a range such as 10.0.0.1-10.0.0.9',
        'for example: 10.0.0.1, or 10.0.0.1-10.0.0.9',
      ],
      ['y', '"y" is neither a whole number nor a range such as 8000-8999', 'for example: 443, or 8000-8999'],
    ]);
  });

  it.each(
    [
      ['host under ""', '""', '"" names no domain'],
      ['host ~ ""', '""', '"" is in everything; use "is empty" or leave it out'],
      ['device ~ 10.', '~', 'device has no operator "~"'],
      ['device under 10.0.0.0/33', '10.0.0.0/33', '"10.0.0.0/33" is no network such as 192.168.0.0/16'],
      ['route = proxyed', 'proxyed', 'route is never "proxyed"'],
      ['agent = hom', 'hom', 'agent is never "hom"'],
      ['network in (tcp, icmp)', 'icmp', 'network is never "icmp"'],
      ['destination_port < 1-2', '1-2', '"1-2" is a range; this operator takes one number'],
      ['destination_port = 9-2', '9-2', '"9-2" is neither a whole number nor a range such as 8000-8999'],
      ['download > much', 'much', '"much" is no amount such as 500MB or 1.5GiB'],
      ['age > 1y', '1y', '"1y" is no time such as 90s, 5m, 2h or 1d'],
      ['start > 2026-02-30', '2026-02-30', '"2026-02-30" is no time that exists'],
      ['start = 2026-02-03', '=', 'start has no operator "="'],
      ['host =~ "a("', '"a("', '"a(" is no regular expression: a "(" that never ends'],
      ['host =~ ""', '""', '"" is in everything; use "is empty" or leave it out'],
      ['a ""', '""', 'an empty word is in everything'],
      ['rate > 1MB/s', 'rate', 'rate is known of live connections only'],
      ['hour_of_week = 3', 'hour_of_week', 'hour_of_week is known of traffic, not of whole connections'],
      ['agent_id = home', 'agent_id', 'there is no field "agent_id"'],
      ['host =', '', 'the end where a value should stand'],
      ['host = and x', 'and', '"and" where a value should stand'],
      ['host = (x)', '(', '"(" where a value should stand'],
      ['host in x', 'x', '"x" after "in"'],
      ['host in (x y)', 'y', '"y" in a list of values'],
      ['host in (x', '', 'the end in a list of values'],
      ['host is x', 'x', '"x" after "is"'],
      ['host is not x', 'x', '"x" after "is"'],
      ['"host" = x', '"host"', 'a field is not quoted'],
      ['a )', ')', '")" belongs to nothing before it'],
      ['( a', '(', 'a parenthesis that never ends'],
      ['a and', '', 'the end where a test or a word should stand'],
      ['or a', 'or', '"or" where a test or a word should stand'],
      ['= x', '=', '"=" where a test or a word should stand'],
      ['host = "x', '"x', 'a quote that never ends'],
      ['host = "\\q"', '\\q', 'a backslash that begins nothing'],
      ['a % b', '%', '"%" has no meaning here'],
      ['not', '', 'the end where a test or a word should stand'],
      ['()', ')', '")" where a test or a word should stand'],
    ].filter(([, , problem]) => problem !== ''),
  )('%s', (text, place, problem) => {
    expect(read(text)).toEqual([[place, problem, expect.any(String)]]);
  });

  it('names what facts do not know', () => {
    expect(read('age > 2h', 'facts')).toEqual([
      ['age', 'age is known of single connections only', 'filter by it in /connections'],
    ]);
    expect(read('hour_of_week = 0-23', 'facts')).toBe('hour_of_week = 0-23');
    expect(read('rate > 1MB/s age > 2h', 'live')).toBe('rate > 1MB/s and age > 2h');
  });

  it('says what a field is called here, whose name in records is another', () => {
    const hints = ['agent_id', 'source_ip', 'chains', 'geoip'].map((name) => read(`${name} = x`)[0]?.[2]);
    expect(hints).toEqual([
      'do you mean agent?',
      'do you mean device?',
      'do you mean chain?',
      'do you mean country?',
    ]);
  });

  it('looks for what was meant a few times only', () => {
    const known = { agent: Array.from({ length: 10_000 }, (_, i) => `agent-number-${i}`) };
    const values = Array.from({ length: 200 }, (_, i) => `agent-nummer-${i}`).join(', ');
    const begun = performance.now();
    const parsed = parseFilter(`agent in (${values})`, { of: 'facts', known });
    expect(performance.now() - begun).toBeLessThan(2000);
    const hints = parsed.ok ? [] : parsed.errors.map(({ hint }) => hint);
    expect(hints).toHaveLength(200);
    expect(hints[0]).toBe('do you mean agent-number-0?');
    expect(hints[199]).toMatch(/^there is agent-number-0, .*, …$/);
  });

  it('keeps to its bounds', () => {
    const words = (n: number) => Array.from({ length: n }, (_, i) => `w${i}`).join(' ');
    expect(read(words(MAX_TESTS))).toBeTypeOf('string');
    expect(read(words(MAX_TESTS + 1))).toMatchObject([['w64', 'more than 64 tests', expect.any(String)]]);
    const nested = (n: number) => `${'('.repeat(n)}a${')'.repeat(n)}`;
    expect(read(nested(MAX_DEPTH))).toBe('a');
    expect(read(nested(MAX_DEPTH + 1))).toMatchObject([
      ['(', 'nested more than 16 deep', expect.any(String)],
    ]);
    expect(read(`${'not '.repeat(MAX_DEPTH + 1)}a and (hots = x)`)).toHaveLength(2);
    expect(read('x'.repeat(MAX_FILTER))).toBe('x'.repeat(MAX_FILTER));
    expect(read('x'.repeat(MAX_FILTER + 1))).toMatchObject([
      ['x', 'the filter is too long', expect.any(String)],
    ]);
  });
});
