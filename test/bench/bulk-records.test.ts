import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BulkRecords } from '../../bench/facts/bulk-records.ts';
import { closedAt } from '../../bench/facts/fields.ts';
import { DAY, generate, type Recipe } from '../../bench/facts/generator.ts';
import { factsByMinute } from '../../bench/facts/lots.ts';
import { makeOriginal, sumOfOriginal } from '../../bench/facts/original.ts';
import { makeWorld } from '../../bench/facts/world.ts';
import { MINUTE_MS } from '../../src/domain/bucket.ts';
import { DESCRIPTIVE_FIELDS } from '../../src/domain/connection.ts';
import { Merger } from '../../src/master/ingest/merger.ts';
import type { Fact } from '../../src/master/store/store.ts';
import type { SyncRequest } from '../../src/protocol/v2.ts';
import { v2Body } from '../support/bodies.ts';
import { TestDirectory } from '../support/directory.ts';

const RECIPE: Recipe = { seed: 11, connections: 2000, days: 1, firstMinute: 29_000_160 };
const WORLD = makeWorld(RECIPE.seed);
const END = RECIPE.firstMinute + DAY;
/** Agents deliver so often here; by the minute, each of 28,800 commits would wait for the disk. */
const DELIVERY = 60;

const directory = new TestDirectory();
afterAll(() => directory.remove());

/** An agent that tells a master of its facts in its own words: counters, totals and closes. */
class TellingAgent {
  readonly #name: string;
  readonly #merger: Merger;
  readonly #stream = `stream-of-${WORLD.agents.length}-agents`;
  readonly #counters = new Map<number, { download: number; upload: number }>();
  readonly #totals = { download: 0, upload: 0 };
  #prev: string | null = null;
  #batches = 0;

  constructor(name: string, merger: Merger) {
    this.#name = name;
    this.#merger = merger;
  }

  deliver(facts: readonly Fact[], closes: ReadonlyMap<number, number>): void {
    const strings: string[] = [];
    const places = new Map<string, number>();
    const place = (text: string) => {
      if (!places.has(text)) places.set(text, strings.push(text) - 1);
      return places.get(text)!;
    };
    const connections: number[][] = [];
    const samples: number[][] = [];
    const closed: number[][] = [];
    const minutes = new Map<number, { download: number; upload: number }>();
    for (const { conn, kind, bucket, download, upload, fields } of facts) {
      if (kind !== 1) {
        const sums = minutes.get(bucket) ?? { download: 0, upload: 0 };
        minutes.set(bucket, { download: sums.download + download, upload: sums.upload + upload });
      }
      if (fields === null) continue;
      const of = fields as Record<string, string | number>;
      const id = place(String(of.id));
      let counter = this.#counters.get(conn);
      if (counter === undefined) {
        counter = { download: 0, upload: 0 };
        this.#counters.set(conn, counter);
        const described = DESCRIPTIVE_FIELDS.map(({ name, type }) =>
          type === 'integer' ? Number(of[name]) : place(String(of[name])),
        );
        connections.push([id, Number(of.start), 0, 0, kind === 1 ? 0 : 1, ...described]);
      }
      counter.download += download;
      counter.upload += upload;
      samples.push([id, bucket, counter.download, counter.upload, 0, 0, 0]);
      const closedAt = closes.get(conn);
      if (closedAt !== undefined && Math.floor(closedAt / MINUTE_MS) === bucket) closed.push([id, closedAt]);
    }
    const totals = [...minutes]
      .sort(([a], [b]) => a - b)
      .map(([minute, sums]) => {
        this.#totals.download += sums.download;
        this.#totals.upload += sums.upload;
        return [minute, this.#totals.download, this.#totals.upload];
      });
    const batch = `batch-of-${this.#name}-${String(this.#batches++).padStart(6, '0')}`;
    const body = v2Body(this.#name, {
      ...{
        stream: `${this.#stream}-${this.#name}`,
        boot: `boot-of-${this.#name}-1`,
        batch,
        prev: this.#prev,
      },
      ...{ strings, connections, samples, totals, closed },
    });
    const answer = this.#merger.v2(body as SyncRequest, null, false);
    expect(answer).toMatchObject({ ok: true, rejected: [] });
    this.#prev = batch;
  }
}

/** What a master makes of the same facts, told by agents over the wire's rows. */
function tellMaster(path: string): void {
  let now = 0;
  const merger = new Merger({ path, reserveLocal: false, now: () => now });
  const agents = new Map(WORLD.agents.map(({ name }) => [name, new TellingAgent(name, merger)]));
  const closes = new Map<number, number>();
  for (const { begun, firstNumber } of generate(RECIPE, WORLD)) {
    for (let i = 0; i < begun.length; i++) {
      const at = closedAt(begun.at(i), END);
      if (at !== null) closes.set(firstNumber + i, at);
    }
  }
  let waiting: Fact[] = [];
  for (const { at, facts } of factsByMinute(RECIPE, WORLD)) {
    waiting.push(...facts);
    if ((at + 1 - RECIPE.firstMinute) % DELIVERY !== 0) continue;
    now = (at + 1) * MINUTE_MS;
    for (const [agent, own] of Map.groupBy(waiting, (fact) => fact.agent)) {
      agents.get(agent)?.deliver(own, closes);
    }
    waiting = [];
  }
  merger.close();
}

describe('records made in bulk', () => {
  const paths = { told: directory.file('told.db'), bulk: directory.file('bulk.db') };
  const original = directory.file('original.db');
  const all = (path: string, text: string) => {
    const db = new Database(path, { readonly: true });
    const rows = db.prepare(text).all();
    db.close();
    return rows as Record<string, unknown>[];
  };

  beforeAll(() => {
    tellMaster(paths.told);
    new Merger({ path: paths.bulk, reserveLocal: false }).close();
    makeOriginal(original);
    const bulk = new BulkRecords(RECIPE, WORLD, { records: paths.bulk, original });
    for (const hour of generate(RECIPE, WORLD)) bulk.add(hour);
    bulk.finish({ lots: [], totals: [] });
    bulk.close();
  });

  it('are what a master keeps of the same samples', () => {
    // Numbers go by the order of arrival, and agents deliver more seldom here.
    const rows = (path: string) =>
      all(path, 'SELECT * FROM connections ORDER BY id').map(({ num: _, arrived_at: __, ...row }) => row);
    const told = rows(paths.told);
    expect(told.length).toBeGreaterThan(1900);
    expect(told.some((row) => row.closed_at === null)).toBe(true);
    expect(told.some((row) => row.counted === 0)).toBe(true);
    expect(rows(paths.bulk)).toEqual(told);
  });

  it("are the original's rows, too", () => {
    const columns = 'id, agent_id, conn_download, conn_upload, host, chains, type, rule_payload';
    const rows = (path: string) => all(path, `SELECT ${columns} FROM connections ORDER BY id`);
    expect(rows(original)).toEqual(rows(paths.bulk));
    const [sums] = all(
      paths.bulk,
      'SELECT SUM(conn_download) AS download, SUM(conn_upload) AS upload FROM connections',
    );
    expect(sumOfOriginal(original)).toEqual(sums);
  });

  it('leave a number for the next connection', () => {
    const [highest] = all(paths.bulk, 'SELECT max(num) AS num FROM connections');
    const [next] = all(paths.bulk, "SELECT value FROM meta WHERE key = 'next_num'");
    expect(Number(next?.value)).toBeGreaterThan(Number(highest?.num));
  });

  it('tell of the facts that a master books, and of nothing else', () => {
    const booked = all(
      paths.told,
      `SELECT agent_id AS agent, kind, bucket, sum(down) AS download, sum(up) AS upload, sum(conns) AS conns
       FROM pending_facts GROUP BY agent_id, kind, bucket ORDER BY agent_id, kind, bucket`,
    );
    const sums = new Map<
      string,
      Record<string, unknown> & { download: number; upload: number; conns: number }
    >();
    for (const { facts } of factsByMinute(RECIPE, WORLD)) {
      for (const { agent, kind, bucket, download, upload, conns } of facts) {
        const key = `${agent} ${kind} ${bucket}`;
        const sum = sums.get(key) ?? { agent, kind, bucket, download: 0, upload: 0, conns: 0 };
        sum.download += download;
        sum.upload += upload;
        sum.conns += conns;
        sums.set(key, sum);
      }
    }
    const generated = [...sums].sort(([, a], [, b]) =>
      a.agent === b.agent
        ? Number(a.kind) - Number(b.kind) || Number(a.bucket) - Number(b.bucket)
        : String(a.agent) < String(b.agent)
          ? -1
          : 1,
    );
    expect(generated.map(([, sum]) => sum)).toEqual(booked);
  });
});
