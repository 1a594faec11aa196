// A record's own `agent_id` was optional and not taken from the package, and the original's key has NULLs as distinct: a
// client that left it out, as the API's own example does, got a new row with every retry, 300 bytes for 100.
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

/** The example of the original's API document, to the letter (but for its comment). */
const EXAMPLE = `{
  "agent_id": "my-unique-agent-id",
  "connections": [
    {
      "id": "6c5cef8b-db4d",
      "download": 102400,
      "upload": 51200,
      "last_updated": "2023-01-01T12:30:45.123Z",
      "start": "2023-01-01T12:30:00.000Z",
      "network": "TCP",
      "conn_type": "HTTP",
      "source_ip": "192.168.1.100",
      "destination_ip": "203.0.113.1",
      "source_geoip": "{\\"country\\":\\"CN\\",\\"province\\":\\"Beijing\\",\\"city\\":\\"Beijing\\"}",
      "destination_geoip": "{\\"country\\":\\"US\\",\\"province\\":\\"California\\",\\"city\\":\\"San Francisco\\"}",
      "source_port": "52100",
      "destination_port": "443",
      "host": "example.com",
      "process": "chrome",
      "chains": "[\\"DIRECT\\"]",
      "rule": "DIRECT",
      "rule_payload": ""
    }
  ],
  "timestamp": "2023-01-01T12:30:50.000Z"
}`;

describe('D2: a record without an agent is the package’s', () => {
  it('the example of the API’s document, sent three times, is one connection', async () => {
    for (let retry = 0; retry < 3; retry++) {
      const answer = await master.post('v1', EXAMPLE);
      expect([answer.status, answer.body.data]).toEqual([200, { message: '数据同步成功', count: 1 }]);
    }
    const rows = await master.get('/connections?agent_id=my-unique-agent-id');
    expect(rows.body).toMatchObject({ total_count: 1, data: [{ id: '6c5cef8b-db4d', download: 102_400 }] });
    const { data } = (await master.get('/stats?type=summary&agent_id=my-unique-agent-id')).body;
    expect(data).toEqual({ count: 1, download: 102_400, upload: 51_200, total: 153_600 });
  });

  it.each([
    ['left out', {}],
    ['null', { agent_id: null }],
    ['empty', { agent_id: '' }],
    ['blank', { agent_id: '  ' }],
  ])('%s', async (name, more) => {
    for (let retry = 0; retry < 3; retry++) await master.post('v1', v1Body(name, [v1Record('c', 100, more)]));
    const { data } = (await master.get(`/stats?type=summary&agent_id=${encodeURIComponent(name)}`)).body;
    expect(data).toMatchObject({ count: 1, download: 100 });
  });

  it('a record’s own agent wins: the original’s agents send rows of earlier ids', async () => {
    await master.post('v1', v1Body('now', [v1Record('c', 100, { agent_id: 'earlier' })]));
    expect((await master.get('/stats?type=summary&agent_id=earlier')).body.data.download).toBe(100);
    expect((await master.get('/stats?type=summary&agent_id=now')).body.data.count).toBe(0);
  });
});
