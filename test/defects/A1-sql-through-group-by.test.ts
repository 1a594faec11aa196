import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEARER, FakeServices, testApp } from '../../src/master/http/http.test-support.ts';
import {
  createRecords,
  insertRecord,
  type TestRecords,
} from '../../src/master/records/records.test-support.ts';
import { RecordsReader } from '../../src/master/records/records-reader.ts';

/**
 * The original pasted an unknown `group_by` into its SQL and ran every statement of the string: one GET could read
 * the schema, empty the table or write files.
 */
const INJECTIONS = [
  '1; DELETE FROM connections; --',
  '(SELECT group_concat(sql) FROM sqlite_master)',
  "id; ATTACH '/tmp/x.db' AS x; --",
  'network, id',
  'NETWORK',
];

let files: TestRecords;
let records: RecordsReader;
beforeAll(() => {
  files = createRecords();
  insertRecord(files.db, { id: 'kept' });
  records = new RecordsReader({ path: files.path });
  records.start();
});
afterAll(async () => {
  await records.stop();
  files.remove();
});

describe('A1: names in a query never become SQL', () => {
  it.each(['group_by', 'sort_by', 'sort_order', 'metric', 'type', 'interval'])(
    '/stats refuses %s before it asks anything',
    async (parameter) => {
      for (const text of INJECTIONS) {
        const services = new FakeServices();
        const app = testApp({}, { stats: services.stats, records });
        const query = new URLSearchParams({ type: 'group', group_by: 'network', [parameter]: text });
        const answer = await app.inject({ url: `/api/v1/stats?${query}`, headers: BEARER });
        expect(answer.statusCode).toBe(400);
        expect(answer.json().details).toMatchObject([{ field: parameter }]);
        expect(services.asked).toEqual([]);
      }
    },
  );

  it.each(['sort_by', 'sort_order', 'limit', 'offset', 'cursor'])('/connections refuses %s', async (name) => {
    for (const text of INJECTIONS) {
      const query = new URLSearchParams({ [name]: text });
      const app = testApp({}, { records });
      const answer = await app.inject({ url: `/api/v1/connections?${query}`, headers: BEARER });
      expect(answer.statusCode).toBe(400);
    }
    expect(files.db.prepare('SELECT count(*) AS n FROM connections').get()).toEqual({ n: 1 });
  });
});
