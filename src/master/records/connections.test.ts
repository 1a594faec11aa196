import { describe, expect, it } from 'vitest';
import { COUNT_CAP, type ConnectionsQuery } from './query.ts';
import { ALL, insertOriginal, insertRecord, readRecordsInEachTest } from './records.test-support.ts';

const given = readRecordsInEachTest();

async function ids(query: Partial<ConnectionsQuery>): Promise<string[]> {
  return (await given.reader.connections({ ...ALL, ...query })).records.map(({ record }) => record.id);
}

describe('connections', () => {
  it('shows a record with absolute counters, times in UTC, and ours beside the original fields', async () => {
    insertRecord(given.records.db, {
      id: 'x',
      download: 5,
      upload: 7,
      start_ms: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      updated_ms: Date.UTC(2026, 0, 2, 3, 5),
      closed_at: Date.UTC(2026, 0, 2, 3, 6),
      conn_type: 'HTTPS',
      uid: 1000,
      provider: 'p',
      counted: 0,
    });
    const page = await given.reader.connections(ALL);
    expect(page).toMatchObject({ total: 1, capped: false, nextCursor: null });
    expect(page.records[0]?.record).toEqual({
      id: 'x',
      agent_id: 'a',
      download: 5,
      upload: 7,
      start: '2026-01-02T03:04:05.678Z',
      last_updated: '2026-01-02T03:05:00.000Z',
      closed_at: '2026-01-02T03:06:00.000Z',
      counted: false,
      network: '',
      conn_type: 'HTTPS',
      source_ip: '',
      destination_ip: '',
      source_geoip: 'null',
      destination_geoip: 'null',
      source_ip_asn: '',
      destination_ip_asn: '',
      source_port: '',
      destination_port: '',
      inbound_ip: '',
      inbound_port: '',
      inbound_name: '',
      inbound_user: '',
      host: '',
      dns_mode: '',
      uid: 1000,
      process: '',
      process_path: '',
      special_proxy: '',
      special_rules: '',
      remote_destination: '',
      dscp: 0,
      sniff_host: '',
      chains: '[]',
      rule: '',
      rule_payload: '',
      provider: 'p',
      device: '',
      site: '',
      group: '',
      node: '',
      route: 'direct',
      country: '',
      asn: '',
    });
  });

  it.each([
    ['agent_id', 'b', ['hit']],
    ['network', 'tcp', ['hit']],
    ['network', 'TCP', []],
    ['destination', '', ['none']],
    ['destination_port', '', ['miss', 'none']],
    ['rule', 'DomainSuffix', ['hit']],
    ['rule', 'DomainSuffix (example.com)', ['hit']],
    ['rule', 'DomainSuffix (other)', []],
    ['payload', 'example.com', ['hit']],
    ['process', 'curl', ['hit']],
    ['process', 'cur', []],
    ['destination', '0.113', ['hit']],
    ['destination', 'WWW.exam', ['hit']],
    ['destination', '%', []],
    ['destination', '_', []],
    ['destination_ip', '203.0.113.9', ['hit']],
    ['destination_port', '443', ['hit']],
    ['host', 'www.example.com', ['hit']],
    ['host', '198.51.100.1', ['miss']],
    ['site', 'example.com', ['hit']],
    ['geoip', 'us', ['hit']],
    ['country', 'us', []],
    ['country', 'US', ['hit']],
    ['country', 'CN', []],
    ['chains', 'HK 1', ['hit']],
    ['node', 'HK 1', ['hit']],
    ['group', 'Proxy', ['hit']],
    ['chain', '["Proxy","HK 1"]', ['hit']],
    ['route', 'proxied', ['hit']],
    ['route', 'direct', ['miss']],
    ['provider', 'airport', ['hit']],
    ['conn_type', 'Socks5', ['hit']],
    ['inbound_name', 'in', ['hit']],
    ['inbound_user', 'lily', ['hit']],
    ['asn', '64500', ['hit']],
    ['device', '192.168.1.7', ['hit']],
    ['agent', "' OR 1=1 --", []],
  ] as const)('filters by %s = %s', async (name, value, expected) => {
    insertRecord(given.records.db, { id: 'miss', destination_ip: '198.51.100.1', chains: '["DIRECT"]' });
    insertRecord(given.records.db, { id: 'none', chains: '["REJECT"]' });
    insertRecord(given.records.db, {
      id: 'hit',
      agent_id: 'b',
      network: 'tcp',
      conn_type: 'Socks5',
      source_ip: '192.168.1.7',
      destination_ip: '203.0.113.9',
      destination_port: '443',
      destination_geoip: '["us","apnic"]',
      destination_ip_asn: '64500 ',
      host: 'www.example.com',
      process: 'curl',
      chains: '["Proxy","HK 1"]',
      rule: 'DomainSuffix',
      rule_payload: 'example.com',
      provider: 'airport',
      inbound_name: 'in',
      inbound_user: 'lily',
    });
    expect((await ids({ filters: { [name]: value } })).sort()).toEqual([...expected]);
  });

  it('finds what overlaps the interval, half-open', async () => {
    insertRecord(given.records.db, { id: 'before', start_ms: 100, updated_ms: 199, closed_at: 199 });
    insertRecord(given.records.db, { id: 'into', start_ms: 100, updated_ms: 150, closed_at: 200 });
    insertRecord(given.records.db, { id: 'open', start_ms: 100, updated_ms: 150 });
    insertRecord(given.records.db, { id: 'at end', start_ms: 300 });
    insertRecord(given.records.db, { id: 'inside', start_ms: 250, updated_ms: 260, closed_at: 270 });
    expect((await ids({ from: 200, to: 300, sortBy: 'start', order: 'asc' })).sort()).toEqual([
      'inside',
      'into',
      'open',
    ]);
  });

  it.each([
    ['start', ['c', 'b', 'a']],
    ['last_updated', ['b', 'a', 'c']],
    ['download', ['a', 'c', 'b']],
    ['upload', ['b', 'c', 'a']],
    ['total', ['b', 'a', 'c']],
  ] as const)('sorts by %s', async (sortBy, expected) => {
    insertRecord(given.records.db, { id: 'a', start_ms: 1, updated_ms: 20, download: 30, upload: 1 });
    insertRecord(given.records.db, { id: 'b', start_ms: 2, updated_ms: 30, download: 10, upload: 30 });
    insertRecord(given.records.db, { id: 'c', start_ms: 3, updated_ms: 10, download: 20, upload: 2 });
    expect(await ids({ sortBy })).toEqual(expected);
    expect(await ids({ sortBy, order: 'asc' })).toEqual([...expected].reverse());
  });

  it('pages by cursor: nothing twice, nothing missing, though rows arrive in between', async () => {
    for (let i = 0; i < 25; i++) insertRecord(given.records.db, { id: `r${i}`, start_ms: 1000 + (i >> 2) });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await given.reader.connections({ ...ALL, sortBy: 'start', limit: 4, cursor });
      expect(page.total).toBeGreaterThanOrEqual(25);
      seen.push(...page.records.map(({ record }) => record.id));
      insertRecord(given.records.db, { id: `new${seen.length}`, start_ms: 2000 });
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
  });

  it('refuses a cursor that is none or of another sort', async () => {
    for (let i = 0; i < 3; i++) insertRecord(given.records.db, { id: `r${i}` });
    const { nextCursor } = await given.reader.connections({ ...ALL, limit: 1 });
    for (const query of [
      { cursor: 'x' },
      { cursor: nextCursor, sortBy: 'start' as const },
      { cursor: 'W10' },
    ]) {
      await expect(given.reader.connections({ ...ALL, ...query })).rejects.toMatchObject({
        code: 'bad_request',
        details: [{ field: 'cursor' }],
      });
    }
  });

  it('counts exactly, beyond the page too, and says when it stopped counting', async () => {
    const insert = given.records.db.prepare(
      'INSERT INTO records (id, agent_id, num, start_ms, updated_ms) VALUES (?, 1, ?, ?, ?)',
    );
    given.records.db.transaction(() => {
      for (let i = 0; i <= COUNT_CAP; i++) insert.run(`${i}`, 1_000_000 + i, i, i);
    })();
    insertRecord(given.records.db, { id: 'few', agent_id: 'few' });
    expect(await given.reader.connections({ ...ALL, limit: 1 })).toMatchObject({
      total: COUNT_CAP,
      capped: true,
    });
    expect(await given.reader.connections({ ...ALL, limit: 1, to: 70_000 })).toMatchObject({
      total: 70_000,
      capped: false,
    });
    const beyond = await given.reader.connections({ ...ALL, offset: 5, filters: { agent_id: 'few' } });
    expect(beyond).toMatchObject({ total: 1, capped: false, records: [] });
  });

  it('shows rows of the original before they are imported, NULLs and odd values included', async () => {
    insertRecord(given.records.db, { id: 'ours', start_ms: Date.UTC(2026, 0, 1) });
    insertOriginal(given.records.db, {
      id: 'old',
      agent_id: null,
      conn_download: -5,
      conn_upload: 3,
      start: '2026-01-02T08:00:00.123456789+08:00',
      last_updated: '2026-01-02T00:30:00+00:00',
      type: 'HTTP',
    });
    insertOriginal(given.records.db, { id: 'odd', agent_id: 'b', start: 'yesterday', last_updated: null });
    expect(await ids({ sortBy: 'start' })).toEqual(['old', 'ours', 'odd']);
    expect(await ids({ from: Date.UTC(2026, 0, 2), to: Date.UTC(2026, 0, 3) })).toEqual(['old', 'ours']);
    const [old] = (await given.reader.connections({ ...ALL, sortBy: 'start' })).records;
    expect(old?.record).toMatchObject({
      agent_id: 'unknown',
      download: 0,
      upload: 3,
      start: '2026-01-02T00:00:00.123Z',
      last_updated: '2026-01-02T00:30:00.000Z',
      conn_type: 'HTTP',
      host: '',
      chains: '[]',
      counted: true,
    });
  });

  it('reads by index where the filter allows', () => {
    const plan = (sql: string): string =>
      (given.records.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[])
        .map((row) => row.detail)
        .join('\n');
    expect(plan('SELECT 1 FROM records c WHERE c.agent_id = 1 ORDER BY c.updated_ms DESC LIMIT 1')).toContain(
      'records_agent',
    );
    expect(plan('SELECT 1 FROM records c ORDER BY c.start_ms DESC, c.num DESC LIMIT 1')).not.toContain(
      'TEMP B-TREE',
    );
  });
});
