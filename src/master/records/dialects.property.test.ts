import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionFields } from '../../domain/connection.ts';
import { DIMENSIONS } from '../../domain/dimensions.ts';
import { FACT_FIELDS } from '../../domain/fact-columns.ts';
import { FILTER_FIELDS, type FilterField, unknownOf } from '../../domain/filter/fields.ts';
import { countTests, filters } from '../../domain/filter/filter.test-support.ts';
import { lowered } from '../../domain/filter/lowered.ts';
import { MAX_TESTS, parseFilter } from '../../domain/filter/parser.ts';
import { parsePattern } from '../../domain/filter/pattern.ts';
import { printFilter } from '../../domain/filter/print.ts';
import type { Filter, Operator } from '../../domain/filter/tree.ts';
import { expression } from '../query/expression.ts';
import { type Part, where } from '../query/filter.ts';
import { GROUP_KEYS, type GroupKey } from '../query/group-keys.ts';
import { sql } from '../query/sql.ts';
import { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { fact, lotOf } from '../store/facts.test-support.ts';
import { currentColumns } from './columns.ts';
import { recordExpression } from './expression.ts';
import { RECORD_FILTERS } from './filters.ts';
import { createRecords, insertRecord, type TestRecords } from './records.test-support.ts';
import { addSqlFunctions } from './sql-functions.ts';

/** Connections of one run stand in both stores as real files; a filter must find the same ones in each. */
let directory: string;
let facts: EmbeddedFactStore;
let records: TestRecords;
let lots = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dialects-'));
  facts = new EmbeddedFactStore({ path: join(directory, 'f.duckdb'), threads: 1 });
  await facts.start();
  records = createRecords();
  addSqlFunctions(records.db);
});
afterAll(async () => {
  await facts.stop();
  records.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** Values as cores and attackers send them, and such as differ from them in case, spaces or digits alone. */
const POOL: Partial<Record<keyof ConnectionFields | 'agent', readonly string[]>> = {
  // Of whatever else a dimension is read from.
  ...Object.fromEntries(FACT_FIELDS.map((name) => [name, ['', 'one', 'One', 'two']])),
  agent: ['home', 'office', "o'hara", '路由器', 'unknown'],
  host: [
    '',
    'www.Example.com',
    'example.com',
    'notexample.com',
    'a.b.co.uk',
    '节点.example',
    'x%y_z',
    'ÄÖ.de',
    'äö.de',
    'STRASSE.de',
    'straße.de',
    'İstanbul.tr',
    'ΑΣ.gr',
    'ας.gr',
    '\u212a.com',
    'a\u0000b',
    '10.0.0.1',
    'a\nb',
    '\ud800x',
    '💥',
  ],
  source_ip: [
    '',
    '192.168.1.7',
    '10.0.0.1',
    '::ffff:10.0.0.1',
    '10.255.0.1',
    '::1',
    'fd00::7',
    'fd00:0:0::7',
    'ffff:ffff::1',
    'fe80::1%eth0',
    'none',
    '010.0.0.1',
    '256.1.1.1',
  ],
  destination_ip: ['', '203.0.113.9', '2001:db8::1', '0.0.0.0', '255.255.255.255', '::', 'x'],
  destination_port: ['', '0', '443', '8080', '65535', '70000', ' 443', '0x1bb', '443x', '-1'],
  rule: ['', 'Match', 'DomainSuffix', 'domainsuffix', "'; DROP TABLE connections; --"],
  rule_payload: ['', 'example.com', '%', '\\', '"'],
  chains: [
    '',
    '[]',
    '["DIRECT"]',
    '["Proxy","HK 1"]',
    '["Proxy","hk 1"]',
    '["Proxy","US\\"1"]',
    '["REJECT"]',
    '["A","B","hk 1"]',
    '["A",5]',
    '["A"',
    '"A"',
    '["compatible"]',
  ],
  provider: ['', 'airport', 'Airport'],
  process: ['', 'curl', 'Steam', 'steam helper', 'STEAM'],
  network: ['tcp', 'udp', ''],
  conn_type: ['Tun', 'HTTP', 'Inner'],
  inbound_name: ['', 'in', 'In'],
  inbound_user: ['', 'lily'],
  destination_geoip: ['null', '[]', '', '["us","x"]', '["DE"]', 'cn', '[5]', '{', '"fr"', '[" gb "]'],
  destination_ip_asn: ['', 'AS1 x', ' AS1 x', 'AS1 x\t', '\u00a0AS2'],
};

type Row = { agent: string; recovered: boolean } & Partial<ConnectionFields>;

const row: fc.Arbitrary<Row> = fc.record({
  recovered: fc.boolean(),
  ...Object.fromEntries(Object.entries(POOL).map(([name, values]) => [name, fc.constantFrom(...values)])),
}) as unknown as fc.Arbitrary<Row>;

/** What a filter may say of a field: values that are there, parts of them, and others. */
const texts = [...new Set(Object.values(POOL).flat())].filter((one) => one !== '');
const part = fc
  .constantFrom(...texts)
  .chain((text) =>
    fc
      .tuple(fc.nat(3), fc.integer({ min: 1, max: 6 }))
      .map(([from, length]) => text.slice(from, from + length) || text),
  );
/** The values of a field's source, even where others are made of them: they are no answer, but may be asked for. */
function poolOf(name: string): readonly string[] | undefined {
  const field = DIMENSIONS.find((dimension) => dimension.name === name)?.field ?? name;
  return POOL[field as keyof typeof POOL];
}
/** What the original's names are of. */
const ORIGINAL: Readonly<Partial<Record<GroupKey, string>>> = {
  agent_id: 'agent',
  destination: 'destination_ip',
  geoip: 'country',
  chains: 'node',
};
/** All time, of whichever tier: what `where` says beside its filters. */
const PART = {
  range: { from: 0, to: 2 ** 31 - 1 },
  filter: null,
  clock: { hourOfWeek: sql`0` },
} as unknown as Part;

const PATTERNS = [
  '^www',
  'example[.]com$',
  '(?i)STEAM|äö',
  '^$|x',
  '[^a-z]',
  '.b',
  '\\bhk\\b',
  '^(a|ab)+',
  '\\d{2}',
  '(?i)k',
  '\\.(com|de)$',
  '^.{3}$',
  '"',
  'A.*1',
];

function values(field: FilterField, op: Operator): fc.Arbitrary<string> {
  if (field.values !== undefined) return fc.constantFrom(...field.values);
  if (field.type === 'number') {
    const port = fc.constantFrom('0', '1', '443', '8080', '65535', '70000', '1-443', '8000-9000', '0-0');
    return op === '=' || op === 'in' || op === '!=' || op === 'not in'
      ? port
      : port.filter((one) => !one.includes('-'));
  }
  if (field.type === 'address') {
    return op === 'under'
      ? fc.constantFrom('10.0.0.0/8', '0.0.0.0/0', '::/0', 'fd00::/8', '192.168.1.7/32', '::ffff:0:0/96')
      : fc.constantFrom(
          '10.0.0.1',
          '::ffff:10.0.0.1',
          '192.168.0.0-192.168.255.255',
          '::1',
          'fd00::7',
          'fe80::1',
          '203.0.113.9',
        );
  }
  if (op === '=~') return fc.constantFrom(...PATTERNS);
  if (op === '~' || op === '!~') return part;
  if (op === 'under')
    return fc.constantFrom('example.com', 'Example.com.', '.com', 'de', 'ÄÖ.de', 'co.uk', 'b');
  const own = poolOf(field.name);
  const more = fc.constantFrom(
    '',
    'US',
    'DE',
    'CN',
    'FR',
    'HK 1',
    'hk 1',
    'DIRECT',
    'Proxy',
    'A',
    'AS1 x',
    'AS2',
    'example.com',
  );
  return own === undefined ? more : fc.oneof(fc.constantFrom(...own), more);
}

const SHARED = FILTER_FIELDS.filter((field) => field.only === undefined);
const filter = filters(SHARED, { words: part, values }).filter((tree) => countTests(tree) <= MAX_TESTS);

async function keep(rows: readonly Row[]): Promise<Set<number>> {
  const kept = rows.map(({ agent, recovered, ...fields }, index) => ({
    agent,
    recovered,
    fields,
    conn: insertRecord(records.db, {
      ...fields,
      id: `${index}`,
      agent_id: agent,
      recovered_down: recovered ? 1 : 0,
    } as never),
  }));
  const lot = kept.map(({ conn, agent, recovered, fields }) =>
    fact({ conn, agent, recovered, fields: { id: 'x', ...fields } }),
  );
  await facts.append(lotOf(++lots, lot), [lot]);
  return new Set(kept.map(({ conn }) => conn));
}

async function inFacts(tree: Filter, of: Set<number>): Promise<number[]> {
  const query = sql`SELECT conn FROM minute WHERE lot = ${lots} AND ${expression(tree, sql`0`)} ORDER BY conn`;
  const rows = await facts.read((run) => run(query.render()));
  return rows.map((one) => Number(one.conn)).filter((conn) => of.has(conn));
}

function inRecords(tree: Filter, of: Set<number>): number[] {
  const columns = currentColumns(records.db);
  const clause = recordExpression(tree, { columns, now: 0, zone: 'UTC' });
  const found = records.db
    .prepare(`SELECT num FROM ${columns.from} WHERE ${clause.sql} ORDER BY num`)
    .pluck();
  return (found.all(...clause.values) as number[]).filter((num) => of.has(num));
}

describe('a filter on facts and on records', () => {
  it('finds the same connections, whatever they and it hold', async () => {
    let matched = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 20, maxLength: 40 }),
        fc.array(filter, { minLength: 20, maxLength: 40 }),
        async (rows, trees) => {
          records.db.exec('DELETE FROM connections');
          const of = await keep(rows);
          for (const tree of trees) {
            const text = printFilter(tree);
            expect(parseFilter(text, { of: 'connections' })).toEqual({ ok: true, filter: tree });
            const expected = await inFacts(tree, of);
            if (expected.length > 0 && expected.length < of.size) matched++;
            expect(inRecords(tree, of), text).toEqual(expected);
          }
        },
      ),
      { numRuns: 30 },
    );
    // Filters that find everything or nothing show little.
    expect(matched).toBeGreaterThan(100);
  });

  it('finds the same by a parameter of the original, in both forms of a rule and by the key of any group', async () => {
    let matched = 0;
    const rules =
      POOL.rule?.flatMap((rule) => [rule, `${rule} ()`, `${rule} (%)`, `${rule} (example.com)`]) ?? [];
    const others = [...texts, '', ...rules].filter((text) => text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 30, maxLength: 40 }),
        fc.array(fc.constantFrom(...others), { minLength: 8, maxLength: 8 }),
        async (rows, more) => {
          records.db.exec('DELETE FROM connections');
          const of = await keep(rows);
          for (const key of GROUP_KEYS) {
            const own = key === 'rule' ? rules : (poolOf(ORIGINAL[key] ?? key) ?? []);
            const asked = key === 'destination_port' ? ['', '0', '443', '65535'] : [...own, ...more];
            for (const value of asked.filter((text) => text.isWellFormed())) {
              const filters = { [key]: value };
              const passes = where({ ...PART, filters });
              const query = sql`SELECT conn FROM minute WHERE lot = ${lots} AND ${passes} ORDER BY conn`;
              const found = (await facts.read((run) => run(query.render()))).map((one) => Number(one.conn));
              const { sql: text, values } = RECORD_FILTERS[key](currentColumns(records.db), value);
              const kept = records.db.prepare(`SELECT num FROM records c WHERE ${text} ORDER BY num`).pluck();
              expect(kept.all(...values), `${key}=${value}`).toEqual(found.filter((conn) => of.has(conn)));
              if (found.length > 0 && found.length < of.size) matched++;
            }
          }
        },
      ),
      { numRuns: 4 },
    );
    expect(matched).toBeGreaterThan(100);
  }, 120_000);

  it('knows in both just the fields that are not of one of them alone', () => {
    const asked = (of: 'facts' | 'connections') =>
      FILTER_FIELDS.filter((field) => unknownOf(field, of) === undefined).map(({ name }) => name);
    const shared = SHARED.map(({ name }) => name);
    expect(asked('facts')).toEqual([...shared, 'hour_of_week']);
    expect(asked('connections').filter((name) => shared.includes(name))).toEqual(shared);
  });
});

describe('text in both stores', () => {
  it('is in the same lower case, character by character', async () => {
    const codes = Array.from({ length: 0x20000 }, (_, code) => code).filter(
      (code) => code > 0 && (code < 0xd800 || code > 0xdfff),
    );
    const query = sql`SELECT c, lower(chr(c)) AS l FROM (SELECT unnest(${codes}::INTEGER[]) AS c)`.render();
    const rows = await facts.read((run) => run(query), { timeoutMs: 60_000 });
    const other = rows
      .map((one) => ({ code: Number(one.c), theirs: one.l }))
      .filter(({ code, theirs }) => lowered(String.fromCodePoint(code)) !== theirs);
    // The two know different versions of Unicode, so letters of the newest may differ: none of a script in use.
    expect(other.map(({ code }) => code).filter((code) => code < 0x1c80)).toEqual([]);
    expect(other.length).toBeLessThan(200);
  });

  it('matches the same patterns', async () => {
    const atom = fc.constantFrom(
      'a',
      'B',
      'é',
      '.',
      '[ab]',
      '[^a\\d]',
      '\\w',
      '\\W',
      '\\s',
      '\\d',
      '(a|B)',
      '(?:aB)?',
      '\\b',
      '^',
      '$',
      '\\.',
      '-',
      '[]-]',
      '\\x41',
      '\n',
      '💥',
      '[а-я]',
    );
    const times = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,}', '{0,3}?', '*?');
    const one = fc.tuple(atom, times).map((parts) => parts.join(''));
    const branch = fc.array(one, { maxLength: 5 }).map((parts) => parts.join(''));
    const pattern = fc
      .tuple(fc.constantFrom('', '', '(?i)'), fc.array(branch, { minLength: 1, maxLength: 3 }))
      .map(([flag, branches]) => flag + branches.join('|'));
    const pieces = String.raw`( ) [ ] { } * + ? | \ ^ $ - a 1 , : . x z é \p{L} \P{^Lu} \p{Han} \pN \p{LC} (?P<n> (?< (?i) (?U) (?m)
      (?s: (?-i) (?= (?! \Q \E [[:alpha:]] [[:^word:]] [[:x:]] \x{ 41} \x41 \0 \1 \z \Z \A \b \B \C \R \u0041 && = ! <`;
    const noise = fc
      .array(fc.constantFrom(...pieces.split(/\s+/)), { maxLength: 8 })
      .map((parts) => parts.join(''));
    const subject = fc
      .array(
        fc.constantFrom(
          'a',
          'b',
          'A',
          'B',
          'é',
          'É',
          '1',
          ' ',
          '-',
          '.',
          '\n',
          '💥',
          'я',
          ']',
          '_',
          '\u212a',
        ),
        { maxLength: 8 },
      )
      .map((chars) => chars.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(pattern, noise), { minLength: 20, maxLength: 20 }),
        fc.array(subject, { minLength: 10, maxLength: 10 }),
        async (patterns, subjects) => {
          for (const text of patterns) {
            const parsed = parsePattern(text);
            if (!parsed.ok) continue;
            const query = sql`SELECT regexp_matches(s, ${text}) AS m FROM (SELECT unnest(${subjects}::VARCHAR[]) AS s)`;
            const rows = await facts.read((run) => run(query.render()));
            const theirs = rows.map((one) => one.m);
            expect([text, subjects, subjects.map((one) => parsed.pattern.matches(one))]).toEqual([
              text,
              subjects,
              theirs,
            ]);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
