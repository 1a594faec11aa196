import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../domain/bucket.ts';
import type { AgentRow, GapRow } from '../records/query.ts';
import type { EmbeddedFactStore } from '../store/embedded/embedded-fact-store.ts';
import { useStoreDirectory } from '../store/embedded/store-directory.test-support.ts';
import { fact, lotOf, unattributed } from '../store/facts.test-support.ts';
import type { Fact } from '../store/store.ts';
import type { TrafficQuestion } from './traffic-question.ts';
import { TrafficService } from './traffic-service.ts';

const NOON = Date.UTC(2026, 6, 1, 12) / MINUTE_MS;
const ms = (minute: number) => minute * MINUTE_MS;
const NOW = ms(NOON + 120);
const QUESTION: TrafficQuestion = {
  from: ms(NOON),
  to: NOW,
  tz: 'UTC',
  agents: null,
  filter: null,
  overlay: false,
  groupBy: [],
  metrics: ['total'],
  interval: null,
  top: 10,
  topBy: 'total',
  topMode: 'combination',
  compare: null,
};

const directory = useStoreDirectory();
let store: EmbeddedFactStore;
let service: TrafficService;
let gaps: GapRow[];
let silentFor: number;
/** Statements that the store was asked. */
let asked: string[];

beforeEach(async () => {
  store = await directory.open();
  gaps = [];
  silentFor = 0;
  asked = [];
  const agent = (agentId: string) =>
    ({
      agentId,
      protocol: 2,
      lastContact: NOW - silentFor,
      lastSnapshot: NOW - silentFor,
      bookedTo: NOW - 180_000,
    }) as AgentRow;
  service = new TrafficService({
    facts: {
      read: (work, options) =>
        store.read(
          (run, admit) =>
            work((query) => {
              asked.push(query.text);
              return run(query);
            }, admit),
          options,
        ),
    },
    records: { agents: async () => [agent('home'), agent('office')], gaps: async () => gaps },
    freshness: { flushNow: async () => undefined, state: { freshTo: 7 } },
    now: () => NOW,
  });
});
afterEach(() => store.stop());

let lots = 0;
async function append(facts: Fact[]): Promise<void> {
  const newest = (await store.lots(1))[0]?.lot ?? 0;
  lots = newest + 1;
  await store.append(lotOf(lots, facts), [facts]);
}

const hosts = (count: number): Fact[] =>
  Array.from({ length: count }, (_, index) =>
    fact({
      conn: index + 1,
      bucket: NOON + (index % 60),
      download: count - index,
      fields: { host: `h${index}` },
    }),
  );

describe('a question', () => {
  it('with too many numbers to answer names what fits', async () => {
    await append(hosts(200));
    const many = {
      ...QUESTION,
      groupBy: ['host'],
      top: 200,
      from: ms(NOON - 14 * 1440),
      interval: '5m',
    } as const;
    await expect(service.answer(many)).rejects.toMatchObject({
      code: 'query_too_large',
      details: [{ field: 'interval', problem: expect.stringContaining('6h') }],
    });
    const each = { ...QUESTION, groupBy: ['host', 'site', 'device'], top: 1000, topMode: 'each' } as const;
    expect((await service.answer(each)).data.groups).toHaveLength(200);
  });

  it('finds its interval itself', async () => {
    await append(hosts(3));
    const widthOf = async (from: number) =>
      (await service.answer({ ...QUESTION, from, interval: 'auto' })).meta.interval;
    expect(await widthOf(NOW - ms(60))).toBe('1m');
    expect(await widthOf(NOW - ms(1440))).toBe('15m');
    expect(await widthOf(NOW - ms(7 * 1440))).toBe('hour');
    expect(await widthOf(NOW - ms(90 * 1440))).toBe('day');
    expect(await widthOf(NOW - ms(5 * 365 * 1440))).toBe('month');
  });

  it('sums groups, other and unattributed to the whole', async () => {
    await append([...hosts(20), unattributed('home', NOON, 1000, 5), unattributed('office', NOON, -3)]);
    const { data, meta } = await service.answer({ ...QUESTION, groupBy: ['host'], top: 3 });
    expect(data.groups.map(({ key }) => key[0])).toEqual(['h0', 'h1', 'h2']);
    expect(data.other).toMatchObject({ groups: 17, totals: { download: 153 } });
    expect(data.unattributed?.totals).toEqual({ download: 997, upload: 5, total: 1002 });
    expect(data.summary.totals).toEqual({ download: 1207, upload: 5, total: 1212 });
    expect(meta).toMatchObject({ tier: 'half_hour', aligned: true, range_cut: null, fresh_to: 7 });
  });
});

describe('what an answer says of itself', () => {
  it('marks gaps, what arrives, and lists the gaps of its agents', async () => {
    await append([fact({ bucket: NOON + 40, download: 5, agent: 'office' })]);
    const gap = (agentId: string, from: number, to: number): GapRow => ({
      agentId,
      from: ms(NOON + from),
      to: ms(NOON + to),
      reason: 'core-down',
    });
    gaps = [gap('home', 0, 60), gap('office', 0, 30)];
    const { data } = await service.answer({ ...QUESTION, interval: '30m', to: NOW + ms(30) });
    expect(data.bucket_states).toEqual(['gap', 'partial', 'ok', 'ok', 'arriving']);
    expect(data.groups[0]?.series).toEqual({ total: [null, 5, 0, 0, 0] });
    expect(data.gaps).toHaveLength(2);
    const ofOffice = await service.answer({ ...QUESTION, agents: ['office'], interval: '30m' });
    expect(ofOffice.data.gaps).toEqual([
      {
        agent_id: 'office',
        from: '2026-07-01T12:00:00.000Z',
        to: '2026-07-01T12:30:00.000Z',
        reason: 'core-down',
      },
    ]);
    expect(ofOffice.meta.freshness).toEqual([
      { agent_id: 'office', booked_to: NOW - 180_000, backlog_ms: 120_000 },
    ]);
  });

  it('waits for an agent that is silent for days, and no longer than journals are kept', async () => {
    await append(hosts(1));
    const last = async () => (await service.answer({ ...QUESTION, interval: '30m' })).data.bucket_states[0];
    silentFor = 3 * 86_400_000;
    expect(await last()).toBe('arriving');
    silentFor = 8 * 86_400_000;
    expect(await last()).toBe('ok');
  });
});

describe('an answer that was given before', () => {
  const question = { ...QUESTION, groupBy: ['host'], to: ms(NOON + 60) } as const;
  /** How many statements read facts. */
  const scans = () => asked.filter((text) => text.includes('SUM(up)') || text.includes('sum(up)')).length;

  it('is given again while nothing came that touches it', async () => {
    await append(hosts(5));
    const first = await service.answer(question);
    const before = scans();
    expect((await service.answer(question)).data).toEqual(first.data);
    await append([fact({ conn: 99, bucket: NOON + 90, download: 1 })]);
    expect((await service.answer(question)).data).toEqual(first.data);
    expect(scans()).toBe(before);
  });

  it('is asked for anew when a late fact touches it, and when another lot took a number', async () => {
    await append(hosts(5));
    const total = async () => (await service.answer(question)).data.summary.totals.total;
    expect(await total()).toBe(15);
    await append([fact({ conn: 99, bucket: NOON + 59, download: 100 })]);
    expect(await total()).toBe(115);
    await store.cutAbove(1);
    const other = [fact({ conn: 98, bucket: NOON + 59, download: 1000 })];
    await store.append(lotOf(2, other, 'ffffffffffffffff'), [other]);
    expect(await total()).toBe(1015);
  });

  it('is another one for every part of the question that matters', async () => {
    await append(hosts(5));
    const variants: Partial<TrafficQuestion>[] = [
      { top: 2 },
      { groupBy: ['site'] },
      { metrics: ['connections'] },
      { tz: 'Asia/Kathmandu', interval: 'hour' },
      { interval: '30m' },
      { compare: 'previous' },
      { agents: ['office'] },
      { overlay: true },
      { topBy: 'connections', metrics: ['connections'] },
      { to: ms(NOON + 30) },
    ];
    const fresh = [];
    for (const variant of variants) {
      const before = scans();
      await service.answer({ ...question, ...variant });
      fresh.push(scans() > before);
    }
    expect(fresh).toEqual(variants.map(() => true));
  });
});
