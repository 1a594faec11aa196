import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAskedTime } from '../../domain/asked-time.ts';
import { type AskedRange, boundsOf, checkRange } from './asked-range.ts';
import { Bench, NOW } from './bench.test-support.ts';
import { FakeServices } from './http.test-support.ts';

const bench = new Bench();
afterAll(() => bench.close());
const read = (asked: AskedRange) => {
  const { from, to } = boundsOf(asked, NOW);
  return [from, to].map((at) => (at === undefined ? null : new Date(at).toISOString()));
};

describe('an asked range', () => {
  it('is read in its zone, and by the instant where it has an offset of its own', () => {
    expect(read({ from: '2026-11-01', to: '2026-11-01T08:00', tz: 'Europe/Berlin' })).toEqual([
      '2026-10-31T23:00:00.000Z',
      '2026-11-01T07:00:00.000Z',
    ]);
    expect(read({ from: '2026-11-01', to: '2026-11-01T08:00:00.5Z' })).toEqual([
      '2026-11-01T00:00:00.000Z',
      '2026-11-01T08:00:00.500Z',
    ]);
    expect(read({ from: '2026-11-01T08:00+08:00', tz: 'Europe/Berlin' })).toEqual([
      '2026-11-01T00:00:00.000Z',
      null,
    ]);
    expect(read({ range: 'today', tz: 'Asia/Tokyo' })).toEqual([
      '2026-01-09T15:00:00.000Z',
      '2026-01-10T12:00:00.000Z',
    ]);
  });

  it('has bounds in order, by its zone', () => {
    expect(checkRange({ from: '2026-11-01', to: '2026-11-01T00:30Z', tz: 'America/New_York' })).toEqual([
      { field: 'to', problem: 'must be after "from"' },
    ]);
    expect(checkRange({ from: '2026-11-01', to: '2026-11-01T00:30Z' })).toEqual([]);
  });

  it.each([
    ['/stats?type=summary&range=today&from=2026-01-01', 'cannot be combined with "from"'],
    ['/connections?range=7d&from=2026-01-01&to=2026-01-02', 'cannot be combined with "from" and "to"'],
    ['/verify?range=month&to=2026-01-02', 'cannot be combined with "to"'],
    ['/filter-options?filter_type=host&range=1h&to=2026-01-02', 'cannot be combined with "to"'],
    ['/connections?range=fortnight', 'must be one of 15m, 1h, 6h'],
    ['/connections?range=yesterda', 'did you mean "yesterday"?'],
  ])('%s', async (path, problem) => {
    const { status, body } = await bench.get(path);
    expect(status).toBe(400);
    expect(body.details).toEqual([{ field: 'range', problem: expect.stringContaining(problem) }]);
  });

  it('is the same for every question', async () => {
    const asked = new FakeServices();
    const deps = { stats: asked.stats, catalogue: asked.catalogue };
    const day = { from: Date.UTC(2026, 0, 8, 23), to: Date.UTC(2026, 0, 9, 23) };
    for (const range of ['range=yesterday', 'from=2026-01-09&to=2026-01-10']) {
      await bench.get(`/stats?type=summary&tz=Europe/Berlin&${range}`, deps);
      await bench.get(`/filter-options?filter_type=host&tz=Europe/Berlin&${range}`, deps);
      const { body } = await bench.get(`/connections?tz=Europe/Berlin&${range}`);
      expect(body.data).toEqual([]);
      expect((await bench.get(`/verify?tz=Europe/Berlin&group=range&${range}`)).status).toBe(200);
    }
    expect(asked.asked).toMatchObject([day, day, day, day]);
    expect((await bench.get('/connections?range=15m')).body.data).toHaveLength(1);
  });

  it('never fails on a text, nor takes one for a time that is none', () => {
    const digits = fc.constantFrom('2026-11-01', '2026-02-30', '1969-12-31', '9999-01-01', '0001-01-01');
    const time = fc.constantFrom('', 'T08:00', 'T24:00', 'T08:60', 'T08', 'T08:00:00.123456789', ' 08:00');
    const zone = fc.constantFrom('', 'Z', '+08:00', '-0930', '+24:00', ' 08:00', 'CET');
    const text = fc.oneof(
      fc.tuple(digits, time, zone).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 30 }),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('UTC', 'Africa/Cairo', 'Pacific/Apia'), (from, tz) => {
        const parsed = parseAskedTime(from);
        if ('problem' in parsed) expect(parsed.problem).not.toBe('');
        else expect(boundsOf({ from, tz }, NOW).from).toSatisfy(Number.isSafeInteger);
      }),
      { numRuns: 1000 },
    );
  });
});
