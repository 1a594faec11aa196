import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../common/logger.ts';
import { MINUTE_MS } from '../../domain/bucket.ts';
import type { SyncRequest } from '../../protocol/v2.ts';
import { T } from '../books/books.test-support.ts';
import { AgentClock } from '../clock.ts';
import { JournalBench } from '../journal/journal.test-support.ts';
import { type Next, SyncEngine } from './engine.ts';
import type { Reply } from './outcome.ts';

type Request = Partial<SyncRequest> & { connections: unknown[] };
type Answer = number | 'ok' | 'mismatch' | 'down' | 'late' | ((request: Request) => number | 'ok');

let b: JournalBench;
let engine: SyncEngine;
let time: number;
/** What the master does, by path; and what it was sent. */
let v1: Answer;
let v2: Answer;
let retryAfterMs: number;
let sent: { path: string; request: Request }[];
beforeEach(() => {
  b = new JournalBench();
  time = 0;
  retryAfterMs = 0;
  sent = [];
  v1 = 'ok';
  v2 = 'ok';
  start();
});
afterEach(() => b.remove());

function start(): void {
  engine = new SyncEngine({
    journal: b.journal,
    transport: { post: async (path, body) => post(path, JSON.parse(body) as Request), close: async () => {} },
    clock: new AgentClock({ newestMinute: 0, buildDate: 0, wall: () => T }),
    interval: 60,
    report: () => ({
      core: { version: 'v', state: 'connected', last_snapshot: 0 },
      version: 'v',
      sampleInterval: 1000,
      journalBudget: 1,
    }),
    logger: silentLogger(),
    random: () => 1,
    monotonic: () => time,
  });
}

function post(path: string, request: Request): Reply {
  sent.push({ path, request });
  const answer = path === '/api/v1/sync' ? v1 : v2;
  const result = typeof answer === 'function' ? answer(request) : answer;
  if (result === 'down') return { kind: 'failed', reason: 'ECONNREFUSED' };
  if (result === 'late') return { kind: 'failed', reason: 'no complete answer within 15000 ms' };
  const limits = { rows: 5000, bytes: 1 };
  const data = {
    ok: result !== 'mismatch',
    head_before: result === 'mismatch' ? `head-${sent.length}-nobody-knows` : (request.prev ?? null),
    accepted: 0,
    rejected: [],
    server_time: T,
    limits,
  };
  return {
    kind: 'answer',
    status: typeof result === 'number' ? result : 200,
    retryAfterMs,
    body: JSON.stringify(typeof result === 'number' ? { code: 'x' } : { status: 'success', data }),
  };
}

/** So many connections with a sample each. */
function fill(count: number): void {
  const table = Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, [i + 1, 0] as const]));
  b.shows(0, [0, 0], {}).shows(1, [count * count, 0], table);
}

async function steps(most: number): Promise<Next[]> {
  const taken: Next[] = [];
  for (let i = 0; i < most; i++) {
    const next = await engine.step();
    taken.push(next);
    if (next.kind !== 'now') break;
  }
  return taken;
}

const rowsOf = (request: Request) => (request.samples?.length ?? 0) + request.connections.length;
const holds = (request: Request, id: string) => request.strings?.includes(id) ?? false;
const waiting = () => Number(b.rows('SELECT count(*) AS n FROM samples WHERE dirty = 1')[0]?.n);

describe('an answer that is not ok', () => {
  it('is followed at once by what the master may miss', async () => {
    fill(3);
    v2 = 'mismatch';
    expect(await engine.step()).toEqual({ kind: 'now' });
    v2 = 'ok';
    expect((await steps(5)).at(-1)).toEqual({ kind: 'interval' });
    expect(waiting()).toBe(0);
  });

  it('again and again is followed by longer and longer pauses, and nothing is given up', async () => {
    fill(3);
    v2 = 'mismatch';
    const taken: Next[] = [];
    for (let i = 0; i < 12; i++) taken.push(await engine.step());
    const pauses = taken.map((next) => (next.kind === 'after' ? next.ms : 0));
    expect(pauses).toEqual([0, 0, 0, 2000, 4000, 8000, 16_000, 32_000, 64_000, 120_000, 120_000, 120_000]);
    expect(waiting()).toBe(3);
    v2 = 'ok';
    await steps(5);
    expect(waiting()).toBe(0);
    v2 = 'mismatch';
    expect(await engine.step()).toEqual({ kind: 'now' });
  });
});

describe('an answer 413', () => {
  it('halves the batches until they fit, and that is remembered', async () => {
    fill(1000);
    v2 = (request) => (rowsOf(request) > 300 ? 413 : 'ok');
    expect((await steps(50)).at(-1)).toEqual({ kind: 'interval' });
    expect(waiting()).toBe(0);
    b.restarts();
    b.shows(
      2,
      [9_999_999, 0],
      Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`d${i}`, [1, 0] as const])),
    );
    start();
    sent = [];
    v2 = 'ok';
    await steps(50);
    expect(Math.max(...sent.map(({ request }) => rowsOf(request)))).toBeLessThanOrEqual(320);
  });

  it('to a single record: it goes to quarantine, the others go on in batches as large as ever', async () => {
    fill(20);
    v2 = (request) => (holds(request, 'c7') ? 413 : 'ok');
    expect((await steps(200)).at(-1)).toEqual({ kind: 'interval' });
    expect(waiting()).toBe(0);
    expect(b.rows("SELECT count(*) AS n FROM quarantine WHERE row LIKE '%c7%'")[0]?.n).toBeGreaterThan(0);
    fill(0);
    expect(b.journal.meta('fits')).toBe('5000');
  });

  it('to everything: waits, and gives nothing up', async () => {
    fill(20);
    v2 = 413;
    expect((await steps(200)).at(-1)?.kind).toBe('after');
    expect(waiting()).toBe(20);
    expect(b.count('quarantine')).toBe(0);
    v2 = 'ok';
    await steps(200);
    expect(waiting()).toBe(0);
  });
});

describe.each([400, 415, 422])('an answer %d', (status) => {
  it('is narrowed down to the record, which goes to quarantine; the rest is delivered', async () => {
    fill(200);
    v2 = (request) => (holds(request, 'c123') ? status : 'ok');
    const taken = await steps(500);
    expect(taken.at(-1)).toEqual({ kind: 'interval' });
    expect(taken.length).toBeLessThan(60);
    expect(waiting()).toBe(0);
    const rows = b.rows('SELECT row FROM quarantine').map(({ row }) => String(row));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter((row) => row.includes('"c123"') === false)).toEqual([]);
  });

  it('to everything, an empty batch too, costs nothing: it is not the records’ fault', async () => {
    fill(200);
    v2 = status;
    for (let i = 0; i < 5; i++) expect((await steps(50)).at(-1)?.kind).toBe('after');
    expect(waiting()).toBe(200);
    expect(b.count('quarantine')).toBe(0);
    v2 = 'ok';
    await steps(50);
    expect(waiting()).toBe(0);
    expect(b.count('quarantine')).toBe(0);
  });
});

describe('trouble that passes', () => {
  const trouble = [408, 425, 429, 500, 502, 503, 302, 'late' as const].map(
    (what) => [what, 120_000] as const,
  );
  it.each([...trouble, ['down', 15_000] as const])(
    '%s: keeps all, waits longer each time, up to %i ms',
    async (status, most) => {
      fill(3);
      v2 = status;
      const waits: number[] = [];
      for (let i = 0; i < 10; i++) {
        const next = await engine.step();
        if (next.kind === 'after') waits.push(next.ms);
      }
      expect(waits).toHaveLength(10);
      expect(waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
      expect(waits.at(-1)).toBe(most);
      expect(waiting()).toBe(3);
    },
  );

  it('never comes sooner than Retry-After', async () => {
    v2 = 503;
    retryAfterMs = 30_000;
    expect(await engine.step()).toMatchObject({ kind: 'after', ms: expect.any(Number) });
    const next = await engine.step();
    expect(next.kind === 'after' && next.ms >= 30_000).toBe(true);
  });

  it.each([401, 403])('%d: every five minutes, and nothing is lost', async (status) => {
    fill(3);
    v2 = status;
    for (let i = 0; i < 3; i++) expect(await engine.step()).toEqual({ kind: 'after', ms: 300_000 });
    expect(engine.status.failure).toMatch(new RegExp(`^${status}`));
    v2 = 'ok';
    await steps(5);
    expect(waiting()).toBe(0);
  });

  it('an answer 200 of something that is no master acknowledges nothing', async () => {
    fill(3);
    const page: Reply = { kind: 'answer', status: 200, retryAfterMs: 0, body: '<html>Welcome</html>' };
    engine = new SyncEngine({
      journal: b.journal,
      transport: { post: async () => page, close: async () => {} },
      clock: new AgentClock({ newestMinute: 0, buildDate: 0, wall: () => T }),
      interval: 60,
      report: () => ({
        core: { version: '', state: 'down', last_snapshot: 0 },
        version: '',
        sampleInterval: 0,
        journalBudget: 0,
      }),
      logger: silentLogger(),
    });
    expect((await engine.step()).kind).toBe('after');
    expect(waiting()).toBe(3);
  });
});

describe.each([404, 405])('a master without protocol 2 (%d)', (status) => {
  beforeEach(() => {
    v2 = status;
  });
  const paths = () => sent.map(({ path }) => path.slice(5, 7));

  it('gets the original’s wire, and is asked for the newer one every hour', async () => {
    fill(3);
    expect((await steps(10)).at(-1)).toEqual({ kind: 'interval' });
    expect(paths()).toEqual(['v2', 'v1']);
    expect(sent[1]?.request.connections).toHaveLength(3);
    expect(waiting()).toBe(0);
    time += 3_599_000;
    await steps(10);
    time += 1000;
    await steps(10);
    expect(paths()).toEqual(['v2', 'v1', 'v2']);
    // The question is empty: nothing may come before what was sent by the other wire.
    expect(rowsOf(sent[2]?.request as Request)).toBe(0);
  });

  it('that was upgraded gets everything again, marked, with bases and totals', async () => {
    b.shows(0, [0, 0], { old: [500, 0] }).shows(61, [100, 0], { old: [600, 0] });
    await steps(10);
    v2 = 'ok';
    time += 3_600_000;
    sent = [];
    await steps(10);
    const [question, all] = sent.map(({ request }) => request);
    expect([rowsOf(question as Request), all?.connections.length, all?.totals?.length]).toEqual([0, 1, 2]);
    expect(all?.samples?.map((row) => Number((row as number[])[6]) & 1)).toEqual([1, 1]);
    expect(all?.connections[0]).toMatchObject({ 2: 500 });
  });

  it('gets nothing twice because the agent was started anew', async () => {
    fill(3);
    await steps(10);
    b.restarts();
    start();
    sent = [];
    await steps(10);
    expect(paths()).toEqual(['v2']);
    expect(waiting()).toBe(0);
  });

  it('that answers the original’s wire with 400 throughout costs nothing', async () => {
    fill(30);
    v1 = 400;
    for (let i = 0; i < 5; i++) await steps(50);
    expect(waiting()).toBe(30);
    expect(b.count('quarantine')).toBe(0);
  });

  it('has one bad record quarantined, and takes the rest', async () => {
    fill(30);
    v1 = (request) => (request.connections.some((one) => (one as { id: string }).id === 'c9') ? 400 : 'ok');
    await steps(100);
    expect(waiting()).toBe(0);
    expect(b.count('quarantine')).toBe(1);
  });
});

describe('the clock', () => {
  const clock = (wall: () => number, newestMinute = 0) =>
    new AgentClock({ newestMinute, buildDate: T, wall });

  it('never goes back to an earlier minute, until the master says it is far ahead', () => {
    let wall = T + 3_600_000;
    const c = clock(() => wall);
    c.now();
    wall = T;
    expect(c.now()).toBe(T + 3_600_000);
    c.serverTime(T + 3_600_000 - 9 * MINUTE_MS);
    expect(c.now()).toBe(T + 3_600_000);
    c.serverTime(T + 1000);
    expect(c.now()).toBe(T + 1000);
  });

  it('that was never set is taken as of the build date, then as the master says, then as it is set', () => {
    let wall = 0;
    const c = clock(() => wall);
    expect(c.now()).toBe(T);
    c.serverTime(T + 86_400_000);
    expect(c.now()).toBe(T + 86_400_000);
    wall += 5000;
    expect(c.now()).toBe(T + 86_405_000);
    wall = T + 86_406_000;
    expect(c.now()).toBe(T + 86_406_000);
    c.serverTime(T + 86_406_000);
    wall += 1000;
    expect(c.now()).toBe(T + 86_407_000);
  });

  it('that was ahead and is set right does not stand still', () => {
    const day = 86_400_000;
    let wall = T + 3 * day;
    const c = clock(() => wall);
    c.now();
    c.serverTime(T);
    expect(c.now()).toBe(T);
    wall = T + 2000;
    c.serverTime(T + 2000);
    wall += 60_000;
    expect(c.now()).toBe(T + 62_000);
  });
});
