import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEARER, FakeServices, testApp } from '../../src/master/http/http.test-support.ts';
import {
  createRecords,
  insertRecord,
  type TestRecords,
} from '../../src/master/records/records.test-support.ts';
import { RecordsReader } from '../../src/master/records/records-reader.ts';

let files: TestRecords;
let records: RecordsReader;
beforeAll(() => {
  files = createRecords();
  for (let i = 0; i < 1200; i++) insertRecord(files.db, { id: `c${i}` });
  records = new RecordsReader({ path: files.path });
  records.start();
});
afterAll(async () => {
  await records.stop();
  files.remove();
});

/** The original took any 32-bit `limit`, so that one GET could fill its memory. */
describe('B4: no GET asks for more than 1,000 rows', () => {
  const get = (path: string) => testApp({}, { records }).inject({ url: `/api/v1${path}`, headers: BEARER });

  it.each(['/connections?', '/stats?type=group&group_by=host&', '/filter-options?filter_type=host&'])(
    '%slimit=4294967295 is refused',
    async (path) => {
      for (const limit of ['4294967295', '1001', '0', '-1', '']) {
        const answer = await get(`${path}limit=${limit}`);
        expect(answer.statusCode).toBe(400);
        expect(answer.json().details).toMatchObject([{ field: 'limit' }]);
      }
    },
  );

  it('the default is bounded too, and the count is told all the same', async () => {
    const byDefault = (await get('/connections')).json();
    expect([byDefault.data.length, byDefault.total_count]).toEqual([100, 1200]);
    const most = (await get('/connections?limit=1000')).json();
    expect([most.data.length, most.total_count]).toEqual([1000, 1200]);
  });

  it('options without a limit are asked for with one', async () => {
    const services = new FakeServices();
    const app = testApp({}, { catalogue: services.catalogue });
    await app.inject({ url: '/api/v1/filter-options?filter_type=host', headers: BEARER });
    expect(services.asked).toMatchObject([{ limit: 1000 }]);
  });
});
