import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answerer } from '../src/cli/answers/ask.ts';
import { masterAtRest } from '../src/cli/answers/master-at-rest.ts';
import { FileLock } from '../src/common/file-lock.ts';
import { QUERY_DIMENSIONS } from '../src/domain/dimensions.ts';
import { connectionRow, v1Body, v1Record, v2Body } from './support/bodies.ts';
import { TestDirectory } from './support/directory.ts';
import { WholeMaster } from './support/whole-master.ts';

/** The hour before the last one, on a half hour: over for every agent, and kept by the minute. */
const MINUTE = Math.floor(Date.now() / 1_800_000) * 30 - 120;
const at = (minute: number): string => new Date((MINUTE + minute) * 60_000).toISOString();
const RANGE = { from: at(-30), to: at(60) };
const NEVER = new AbortController().signal;

let directory: TestDirectory;
let database: string;
beforeEach(() => {
  directory = new TestDirectory();
  database = directory.file('master.db');
});
afterEach(() => directory.remove());

/** Two agents, several hosts, unattributed bytes, a gap. */
async function fill(master: WholeMaster): Promise<void> {
  const old = Array.from({ length: 12 }, (_, index) =>
    v1Record(`c${index}`, 1000 * (index + 1), {
      host: `host${index}.example.com`,
      process: index % 2 === 0 ? 'curl' : '',
      chains: index % 3 === 0 ? '["DIRECT"]' : '["Proxy","🇭🇰 香港"]',
      start: at(0),
      last_updated: at(index * 4),
    }),
  );
  await master.post('v1', v1Body('old', old));
  const ms = (minute: number) => (MINUTE + minute) * 60_000;
  const body = v2Body('new', {
    strings: ['c', '', 'new.example.org'],
    connections: [connectionRow(0, 1, { fields: { host: 2 } })],
    samples: [
      [0, MINUTE, 700, 70, 200, 0, 0],
      [0, MINUTE + 31, 900, 90, 200, 0, 0],
    ],
    totals: [
      [MINUTE, 1000, 100],
      [MINUTE + 31, 1500, 150],
    ],
    gaps: [[1, ms(3), ms(9), 'core-down']],
  });
  expect((await master.post('v2', body)).status).toBe(200);
}

const query = (body: object) => ['/query', { ...RANGE, ...body }] as const;
const QUESTIONS: readonly (readonly [path: string, body: object | null])[] = [
  query({}),
  ...QUERY_DIMENSIONS.map((name) => query({ group_by: [name], top: 3, metrics: ['total', 'opened'] })),
  query({ group_by: ['agent', 'host', 'route', 'process'], top: 5, interval: '15m', tz: 'Asia/Kolkata' }),
  query({ group_by: ['host', 'node'], top: 2, top_mode: 'each', compare: 'previous' }),
  query({ filter: 'host ~ host and not process = curl', metrics: ['connections'], group_by: ['site'] }),
  query({ agents: ['new'], interval: 'hour' }),
  query({ filter: 'hst = 1 or agent = nobody' }),
  query({ agents: ['nobody'] }),
  query({ group_by: ['host', 'host'], interval: '7m', bogus: 1 }),
  ['/query/batch', { common: RANGE, queries: [{ id: 'a' }, { id: 'b', group_by: ['x'] }] }],
  [`/verify?${new URLSearchParams(RANGE)}`, null],
  [`/verify?group=range&agent=new&${new URLSearchParams(RANGE)}`, null],
  [`/stats?type=group&group_by=host&${new URLSearchParams(RANGE)}`, null],
  [`/verify?group=week`, null],
];

/** Without what is of the moment alone: the time it took, and how late it was asked. */
function lasting(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer, (key, value) => (key === 'elapsed_ms' || key === 'fresh_to' ? 0 : value)),
  );
}

/** A master that was filled, asked, and stopped in order. */
async function filledAndAsked(): Promise<unknown[]> {
  const master = await new WholeMaster(directory.path).start();
  await fill(master);
  await master.flusher.drain();
  const answers: unknown[] = [];
  for (const [path, body] of QUESTIONS) {
    const given = body === null ? {} : { body: JSON.stringify(body) };
    answers.push(lasting(await master.ask(body === null ? 'GET' : 'POST', `/api/v1${path}`, given)));
  }
  await master.stop();
  return answers;
}

function fingerprints(): Record<string, string> {
  const names = readdirSync(directory.path).filter((name) => !/\.tmp$|\.lock$/.test(name));
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(directory.file(name)))
      .digest('hex');
  return Object.fromEntries(names.map((name) => [name, hash(name)]));
}

async function asking<T>(work: (answerer: Answerer) => Promise<T>): Promise<T> {
  const answerer = await masterAtRest(database);
  try {
    return await work(answerer);
  } finally {
    await answerer.close();
  }
}

describe('a master at rest', () => {
  it('answers every question as the running one did, mistakes included, and changes no file', async () => {
    const before = await filledAndAsked();
    const files = fingerprints();
    await asking(async (answerer) => {
      expect(answerer.notes).toEqual([]);
      for (const [index, [path, body]] of QUESTIONS.entries()) {
        const answer = lasting(await answerer.ask(path, body, NEVER));
        expect(answer, JSON.stringify([path, body])).toEqual(before[index]);
      }
    });
    expect(fingerprints()).toEqual(files);
    const sums = before[0] as { body: { data: { summary: { totals: object } } } };
    expect(sums.body.data.summary.totals).toEqual({ download: 79_500, upload: 150, total: 79_650 });
  });

  it('says what is not in its answers, for no master has booked it', async () => {
    const master = await new WholeMaster(directory.path).start();
    await master.flusher.stop();
    await fill(master);
    await master.stop();
    const minute = (offset: number) => at(offset).replace(':00.000Z', 'Z');
    await asking(async (answerer) => {
      expect(answerer.notes).toEqual([
        `traffic from ${minute(0)} to ${minute(45)} waits in the records and is not in it: a master books it when it starts`,
      ]);
      const { body } = await answerer.ask('/query', RANGE, NEVER);
      expect(body).toMatchObject({ data: { summary: { totals: { total: 0 } } } });
      const books = await answerer.ask(`/verify?group=range&${new URLSearchParams(RANGE)}`, null, NEVER);
      expect(books.body).toMatchObject({ data: [{ agent_id: 'new', state: 'open' }, { agent_id: 'old' }] });
    });
  });

  it('says that the records are older than the facts', async () => {
    await filledAndAsked();
    const db = new Database(database);
    db.exec("UPDATE lots SET token = '00000000000000ff'");
    db.close();
    await asking(async ({ notes }) => expect(notes).toEqual([expect.stringContaining('records are older')]));
  });

  it.each([
    ['records', 'master.db', 'file_missing'],
    ['facts', 'master.facts.duckdb', 'file_missing'],
  ])('is none without its %s', async (_what, name, code) => {
    await filledAndAsked();
    rmSync(directory.file(name));
    await expect(masterAtRest(database)).rejects.toMatchObject({ code });
  });

  it('is none where the facts belong to other records, or a process holds them', async () => {
    await filledAndAsked();
    const db = new Database(database);
    db.exec("UPDATE meta SET value = 'another' WHERE key = 'store_id'");
    await expect(masterAtRest(database)).rejects.toMatchObject({ code: 'file_foreign' });
    db.close();
    const lock = FileLock.take(database, 'records database');
    await expect(masterAtRest(database)).rejects.toMatchObject({
      code: 'database_served',
      hint: expect.stringContaining('--url'),
    });
    lock.release();
    // What was taken on the way there was let go of.
    FileLock.take(database, 'records database').release();
  });
});
