// The original's series went through SQLite's `utc` modifier: the same rows stood at 04:00 with TZ=Asia/Shanghai, at 16:00 with
// America/New_York, and at 12:00 with another version of the library.
import { afterAll, describe, expect, it } from 'vitest';
import { v1Body, v1Record } from '../support/bodies.ts';
import { SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { MasterProcess } from '../support/master.ts';
import { waitFor } from '../support/wait.ts';

const directory = new TestDirectory();
afterAll(() => directory.remove());

const QUESTIONS = [
  '/stats?type=timeseries&interval=hour&metric=download&from=2026-07-01T00:00:00Z&to=2026-07-02T00:00:00Z',
  '/stats?type=timeseries&interval=day&metric=download&from=2026-06-30T00:00:00Z&to=2026-07-03T00:00:00Z',
  '/stats?type=timeseries&interval=day&metric=download&tz=Asia/Tokyo&from=2026-06-30T00:00:00Z&to=2026-07-03T00:00:00Z',
  '/stats?type=summary&from=2026-07-01T12:00:00Z&to=2026-07-01T13:00:00Z',
  '/connections?from=2026-07-01T12:00:00Z&to=2026-07-01T13:00:00Z',
  '/verify?group=day&from=2026-07-01T00:00:00Z&to=2026-07-02T00:00:00Z',
];

async function answers(zone: string): Promise<unknown[]> {
  const master = await MasterProcess.start({
    database: directory.file(`${zone.replace('/', '-')}.db`),
    program: SOURCES,
    env: { TZ: zone },
  });
  try {
    const records = [
      v1Record('noon', 1000, {
        last_updated: '2026-07-01T12:00:00+00:00',
        start: '2026-07-01T11:59:00+00:00',
      }),
      v1Record('east', 20, { last_updated: '2026-07-02T07:30:00+08:00', start: '2026-07-02T07:29:00+08:00' }),
    ];
    expect((await master.post('/api/v1/sync', v1Body('router', records))).status).toBe(200);
    await waitFor('the facts of both records', async () => {
      return (await master.data<{ count: number }>('/stats?type=summary')).count === 2;
    });
    return await Promise.all(QUESTIONS.map((question) => master.data<unknown>(question)));
  } finally {
    await master.command.stop();
  }
}

describe('T2: the zone of the machine is nothing to a master', () => {
  it('the same rows give the same answers in Shanghai and in New York', async () => {
    const [utc, ...others] = await Promise.all(['UTC', 'Asia/Shanghai', 'America/New_York'].map(answers));
    for (const other of others) expect(other).toEqual(utc);
    const hours = utc?.[0] as { time: string; value: number }[];
    expect(hours.filter((point) => point.value > 0)).toEqual([
      { time: '2026-07-01T12:00:00Z', value: 1000 },
      { time: '2026-07-01T23:00:00Z', value: 20 },
    ]);
  });
});
