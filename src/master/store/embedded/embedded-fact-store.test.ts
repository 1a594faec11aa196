import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeFactStore } from '../contract.ts';
import { fact, lotOf } from '../facts.test-support.ts';
import { EmbeddedFactStore } from './embedded-fact-store.ts';
import { useStoreDirectory } from './store-directory.test-support.ts';

const at = useStoreDirectory();

describeFactStore('embedded', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'facts-'));
  const path = join(directory, 'f.duckdb');
  const open = async () => {
    const store = new EmbeddedFactStore({ path, threads: 2 });
    await store.start();
    return store;
  };
  return {
    fresh: open,
    reopen: async (store) => {
      await store.stop();
      return await open();
    },
    dispose: async () => rmSync(directory, { recursive: true, force: true }),
  };
});

describe('dictionaries', () => {
  it('hold each value once, with what derives from it', async () => {
    const store = await at.open();
    const facts = [
      fact({
        conn: 1,
        fields: {
          host: 'www.example.co.uk',
          source_ip: '192.168.1.2',
          destination_ip: 'fe80::1%eth0',
          rule: 'DomainSuffix',
          rule_payload: 'uk',
          chains: '["Proxy","HK","hk-1"]',
          provider: 'p',
        },
      }),
      fact({ conn: 2, fields: { host: 'localhost', destination_ip: 'garbage', chains: 'garbage' } }),
      fact({ conn: 3, fields: { source_ip: 'fe80::1%eth0', chains: '' } }),
    ];
    for (const number of [1, 2]) await store.append(lotOf(number, facts), [facts]);
    const all = (table: string, order: string) =>
      store.read((run) => run({ text: `SELECT * EXCLUDE (id) FROM ${table} ORDER BY ${order}`, values: [] }));
    expect(await all('host', 'host')).toEqual([
      { host: '', site: '' },
      { host: 'localhost', site: 'localhost' },
      { host: 'www.example.co.uk', site: 'example.co.uk' },
    ]);
    expect(await all('ip', 'ip')).toEqual([
      { ip: '', num: null },
      { ip: '192.168.1.2', num: 0xffffc0a80102n },
      { ip: 'fe80::1%eth0', num: 0xfe800000000000000000000000000001n },
      { ip: 'garbage', num: null },
    ]);
    expect(await all('chain', 'chains')).toEqual([
      { chains: '["Proxy","HK","hk-1"]', provider: 'p', group: 'Proxy', node: 'hk-1', route: 'proxied' },
      { chains: '[]', provider: '', group: '', node: '', route: 'direct' },
      { chains: 'garbage', provider: '', group: '', node: '', route: 'direct' },
    ]);
  });
});
