// The original added the bytes of a connection to every element of its geoip array: 300 for 100.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { v1Body, v1Record } from '../support/bodies.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

const directory = new TestDirectory();
let master: WholeMaster;
beforeAll(async () => {
  master = await new WholeMaster(directory.path).start();
});
afterAll(async () => {
  await master.stop();
  directory.remove();
});

describe('D3: a connection is in one country', () => {
  it('groups sum to the summary, whatever the codes are', async () => {
    const geoips = [
      '["AQ","PRIVATE","APNIC"]',
      '["us"]',
      '[]',
      'null',
      '',
      'jp',
      '["", "x"]',
      '[1]',
      '{"country":"DE"}',
      '[["cn"]]',
      '["cn',
    ];
    const records = geoips.map((destination_geoip, i) => v1Record(`c${i}`, 100, { destination_geoip }));
    await master.post('v1', v1Body('geo', records));
    const groups: Record<string, unknown>[] = (await master.get('/stats?type=group&group_by=geoip')).body
      .data;
    const sum = groups.reduce((total, row) => total + Number(row.download), 0);
    expect(sum).toBe(geoips.length * 100);
    const byCode = new Map(groups.map((row) => [row.destination_geoip, row.download]));
    expect(byCode.get('AQ')).toBe(100);
    expect(byCode.get('US')).toBe(100);
    expect(byCode.get('JP')).toBe(100);
    expect([...byCode.keys()]).not.toContain('PRIVATE');
    expect((await master.get('/stats?type=summary')).body.data.download).toBe(sum);
  });
});
