// One token served for everything, the agent id was taken on trust, and a sync overwrote: any agent's or reader's token rewrote or
// zeroed any agent's rows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionRow, unique, v1Body, v1Record, v2Body } from '../support/bodies.ts';
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

const MINUTE = Math.floor(Date.parse('2026-07-01T12:00:00Z') / 60_000);

describe('A3: nobody can lower, empty or erase what is stored', () => {
  const victim = {
    host: 'victim.example',
    process: 'curl',
    rule: 'Match',
    rule_payload: 'x',
    destination_ip: '203.0.113.1',
  };
  const seen = async () => ({
    sums: (await master.get('/stats?type=summary&agent_id=victim')).body.data,
    groups: (await master.get('/stats?type=group&group_by=host&agent_id=victim')).body.data,
    rows: (await master.get('/connections?agent_id=victim')).body.data,
  });

  it('not by the original’s wire, in whosever name', async () => {
    await master.post('v1', v1Body('victim', [v1Record('c1', 5000, victim), v1Record('c2', 700, victim)]));
    const stored = await seen();
    expect(stored.sums).toMatchObject({ count: 2, download: 5700 });
    const empty = { host: '', process: '', rule: '', chains: '[]', last_updated: '2026-07-01T12:00:30Z' };
    const lies = { host: 'evil.example', process: 'evil', last_updated: '2026-07-01T12:00:30Z' };
    for (const more of [empty, lies]) {
      await master.post('v1', v1Body('victim', [v1Record('c1', 0, more), v1Record('c2', 1, more)]));
      await master.post('v1', v1Body('other', [v1Record('c1', 0, { ...more, agent_id: 'victim' })]));
    }
    expect(await seen()).toEqual(stored);
  });

  it('not by protocol 2: not by smaller samples, other bases, closes of long ago or other fields', async () => {
    const stored = await seen();
    const id = ['c1', '', 'evil.example'];
    await master.post(
      'v2',
      v2Body('victim', {
        strings: id,
        connections: [connectionRow(0, 1, { base: [4000, 0], counted: 0, fields: { host: 2 } })],
        samples: [
          [0, MINUTE + 60, 0, 0, 0, 0, 0],
          [0, MINUTE - 60, 4500, 0, 4500, 0, 0],
          [0, MINUTE, 5000, 0, 5000, 5000, 3],
        ],
      }),
    );
    expect((await seen()).sums).toEqual(stored.sums);
    expect((await seen()).groups).toEqual(stored.groups);
  });

  it('a stream’s totals never fall, and a head that is not its own merges nothing', async () => {
    const first = v2Body('totals', { totals: [[MINUTE, 9000, 0]] });
    await master.post('v2', first);
    const unattributed = async () =>
      (await master.get('/stats?type=summary&agent_id=totals')).body.meta.unattributed.download;
    expect(await unattributed()).toBe(9000);
    await master.post('v2', {
      ...first,
      prev: first.batch,
      batch: unique('batch'),
      totals: [[MINUTE, 0, 0]],
    });
    expect(await unattributed()).toBe(9000);
    const stranger = { ...first, boot: unique('boot'), prev: unique('batch'), batch: unique('batch') };
    const answer = await master.post('v2', { ...stranger, totals: [[MINUTE, 99_000, 0]] });
    expect(answer.body.data.ok).toBe(false);
    expect(await unattributed()).toBe(9000);
  });
});

describe('A3: a token is good for what it was made for', () => {
  const victim = { host: 'home.example', process: 'curl', destination_ip: '203.0.113.1' };
  const seen = async () => ({
    sums: (await master.get('/stats?type=summary&agent_id=home')).body.data,
    rows: (await master.get('/connections?agent_id=home')).body.data,
    agents: (await master.get('/agents')).body.data.map((agent: { agent_id: string }) => agent.agent_id),
  });
  const refused = { status: 403, body: { status: 'error', data: null, code: 'agent_id_bound' } };
  let home: string;
  let office: string;
  let reader: string;
  beforeAll(async () => {
    home = await master.token('home', 'agent', 'home');
    office = await master.token('office', 'agent', 'office');
    reader = await master.token('reader', 'read');
  });

  it('an agent delivers under its own id', async () => {
    const answer = await master.post('v1', v1Body('home', [v1Record('h1', 5000, victim)]), home);
    expect(answer).toMatchObject({ status: 200, body: { data: { count: 1 } } });
    const second = v2Body('home', { strings: ['h2', ''], connections: [connectionRow(0, 1)] });
    expect((await master.post('v2', second, home)).body.data).toMatchObject({ ok: true, accepted: 1 });
    expect((await seen()).sums).toMatchObject({ count: 1, download: 5000 });
  });

  it('and under no other, by neither wire', async () => {
    const stored = await seen();
    for (const id of ['home', ' home ', 'HOME', 'nobody']) {
      const record = v1Record('h1', 9000, victim);
      expect(await master.post('v1', v1Body(id, [record]), office)).toMatchObject(refused);
      const body = v2Body(id, { totals: [[MINUTE, 9000, 0]] });
      const answer = await master.post('v2', body, office);
      expect(answer).toMatchObject(refused);
      expect(answer.body.message).toContain('delivers for agent "office" only');
    }
    expect(await seen()).toEqual(stored);
  });

  it('nor by a record that names another agent, which costs the others of its package nothing', async () => {
    const stored = await seen();
    const lie = v1Record('h1', 9000, { ...victim, agent_id: 'home' });
    const own = v1Record('o1', 70, { ...victim, agent_id: 'office' });
    expect((await master.post('v1', v1Body('office', [lie, own]), office)).status).toBe(200);
    expect(await seen()).toMatchObject({ sums: stored.sums, rows: stored.rows });
    expect((await master.get('/stats?type=summary&agent_id=office')).body.data).toMatchObject({
      count: 1,
      download: 70,
    });
    expect((await master.get('/agents/office/status')).body.data.quarantined).toBe(1);
  });

  it('a reader delivers nothing, and an agent reads nothing', async () => {
    const stored = await seen();
    for (const version of ['v1', 'v2'] as const) {
      const body = version === 'v1' ? v1Body('home', [v1Record('h1', 9000, victim)]) : v2Body('home');
      expect(await master.post(version, body, reader)).toMatchObject({
        status: 403,
        body: { code: 'forbidden' },
      });
    }
    expect(await seen()).toEqual(stored);
    for (const path of ['/stats?type=summary', '/connections', '/agents', '/verify', '/tokens', '/session']) {
      expect(await master.get(path, home)).toMatchObject({
        status: 403,
        body: { code: 'forbidden', data: null },
      });
    }
    expect((await master.get('/connections', reader)).status).toBe(200);
    expect((await master.get('/tokens', reader)).status).toBe(403);
  });

  it('the token of the original’s command line goes on acting as any agent', async () => {
    expect((await master.post('v1', v1Body('home', [v1Record('h3', 1, victim)]))).status).toBe(200);
    expect((await master.post('v1', v1Body('office', [v1Record('o3', 1, victim)]))).status).toBe(200);
  });
});
