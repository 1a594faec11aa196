import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand, SOURCES } from '../../../test/support/command.ts';
import { csvLine } from '../../domain/csv.ts';

/** What spreadsheets run or readers stop at, and what comes close to it. */
const NAMES = ['=1+1', '＝1+1', '＋1', '－1', '＠x', "'=1", "'tis", 'nul\0nul', ' =1', '\t=1', 'a,"b"'];

const totals = (total: number) => ({ download: total, upload: 0, total });
const ANSWER = {
  status: 'success',
  message: null,
  data: {
    ...{ buckets: [], bucket_states: [], gaps: [], other: null, unattributed: null },
    groups: NAMES.map((name) => ({ key: [name], labels: [name], totals: totals(1), previous: null })),
    summary: { totals: totals(NAMES.length), previous: null },
  },
  meta: {
    ...{ previous: null, interval: null, tier: 'minute', aligned: true, fresh_to: 0, range_cut: null },
    ...{ range: { from: 0, to: 60_000 }, unattributed: { applies: false, download: 0, upload: 0 } },
    ...{ elapsed_ms: 1, freshness: [], gaps_omitted: 0, cut: false },
  },
};

let server: Server;
beforeAll(async () => {
  server = createServer((_, reply) => {
    reply.setHeader('content-type', 'application/json').end(JSON.stringify(ANSWER));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
});

it('prints names as CSV by the rules of exports', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked = ['query', '--by', 'host', '--metrics', 'download', '--csv', '--url', url];
  const { code, stdout } = await runCommand(asked, { program: SOURCES });
  expect(code).toBe(0);
  const rows = NAMES.map((name) => ['group', name, 1]);
  const lines = [['kind', 'host', 'download'], ...rows, ['all', null, NAMES.length]];
  expect(stdout).toBe(lines.map(csvLine).join(''));
  expect(stdout).toContain("group,'＝1+1,1\r\n");
  expect(stdout).toContain("group,''=1,1\r\n");
  expect(stdout).toContain('group,nul\uFFFDnul,1\r\n');
});
