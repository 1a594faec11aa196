import { afterAll, beforeAll, expect, it } from 'vitest';
import { unique, v1Body, v1Record } from '../support/bodies.ts';
import { TestDirectory } from '../support/directory.ts';
import { WholeMaster } from '../support/whole-master.ts';

const RULES = 1200;

const directory = new TestDirectory();
let master: WholeMaster;
beforeAll(async () => {
  master = await new WholeMaster(directory.path).start();
  const records = Array.from({ length: RULES }, (_, i) =>
    v1Record(unique('c'), i + 1, {
      rule: 'DomainSuffix',
      rule_payload: `made-up-${i}`,
      host: `h${i}.example`,
      network: `n${i}`,
    }),
  );
  await master.post('v1', v1Body('explosive', records));
});
afterAll(async () => {
  await master.stop();
  directory.remove();
});

it('an agent of which every connection has a rule of its own gets answers that are bounded', async () => {
  const { data } = (await master.get('/agents/explosive/status')).body;
  expect([data.networks.length, data.rules.length]).toEqual([1000, 1000]);
  expect(data.rules[0]).toMatchObject({ rule: `DomainSuffix (made-up-${RULES - 1})`, download: RULES });
  const groups = (await master.get('/stats?type=group&group_by=host')).body;
  expect([groups.data.length, groups.meta.other.groups]).toEqual([1000, 200]);
  const options = (await master.get('/filter-options?filter_type=host')).body;
  expect(options.data).toHaveLength(1000);
});
