import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { decodeV2 } from '../../src/master/ingest/decode.ts';
import { Merger } from '../../src/master/ingest/merger.ts';
import { connectionRow, unique, v1Body, v1Record, v2Body } from '../support/bodies.ts';
import { checkBooks } from '../support/books.ts';
import { TestDirectory } from '../support/directory.ts';
import { originalRow, writeOriginal } from '../support/original-database.ts';

const directory = new TestDirectory();
afterAll(() => directory.remove());

const BASE_MINUTE = Math.floor(Date.UTC(2026, 6, 1, 12) / 60_000);
const NOW = (BASE_MINUTE + 100) * 60_000;
const IDS = ['c0', 'c1', 'c2', 'c3'];
const AGENTS = ['router', 'desk', 'unknown'];
const at = (minute: number) => new Date((BASE_MINUTE + minute) * 60_000).toISOString();

const report = fc.record({
  id: fc.constantFrom(...IDS),
  agent: fc.constantFrom(...AGENTS),
  minute: fc.nat(90),
  down: fc.nat(1000),
  up: fc.nat(50),
});
/** `loose`: how the row names its agent: as it is, with blanks around it, or not at all. */
const row = fc.record({ report, loose: fc.constantFrom('exact', 'padded', 'null') });
const step = fc.oneof(
  fc.record({ kind: fc.constant('import' as const), rows: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('v1' as const), reports: fc.array(report, { minLength: 1, maxLength: 4 }) }),
  fc.record({
    kind: fc.constant('v2' as const),
    agent: fc.constantFrom(...AGENTS),
    base: fc.nat(300),
    reports: fc.array(report, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('restart' as const) }),
);

interface Expected {
  highest: [number, number];
  base: [number, number];
}

it('import, both protocols and restarts in any order: every byte is booked exactly once', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 10 }), fc.array(step, { maxLength: 12 }), (rows, steps) => {
      const path = directory.file(`${unique('db')}.db`);
      const expected = new Map<string, Expected>();
      const meet = (agent: string, id: string, down: number, up: number, base: number) => {
        const known = expected.get(`${agent} ${id}`) ?? { highest: [base, base], base: [base, base] };
        expected.set(`${agent} ${id}`, {
          highest: [Math.max(known.highest[0], down), Math.max(known.highest[1], up)],
          base: [Math.min(known.base[0], base), Math.min(known.base[1], base)],
        });
      };
      const seen = new Set<string>();
      const kept = rows.filter(({ report: { id, agent }, loose }) => {
        const key = `${id} ${agent} ${loose}`;
        if (loose !== 'null' && seen.has(key)) return false;
        seen.add(key);
        return true;
      });
      writeOriginal(
        path,
        kept.map(({ report: { id, agent, minute, down, up }, loose }) => {
          meet(loose === 'null' ? 'unknown' : agent, id, down, up, 0);
          const agentId = loose === 'null' ? null : loose === 'padded' ? ` ${agent} ` : agent;
          return originalRow(id, {
            agent_id: agentId,
            conn_download: down,
            conn_upload: up,
            last_updated: at(minute),
          });
        }),
      );
      const open = () => {
        const merger = new Merger({ path, now: () => NOW, reserveLocal: false });
        merger.db.pragma('synchronous = OFF');
        return merger;
      };
      let merger = open();
      const streams = new Map<
        string,
        { stream: string; boot: string; head: string | null; bases: Map<string, number> }
      >();
      for (const action of steps) {
        if (action.kind === 'import') merger.importChunk(action.rows);
        else if (action.kind === 'restart') {
          merger.close();
          merger = open();
        } else if (action.kind === 'v1') {
          for (const { id, agent, down, up } of action.reports) meet(agent, id, down, up, 0);
          const records = action.reports.map(({ id, agent, minute, down, up }) =>
            v1Record(id, down, { upload: up, agent_id: agent, last_updated: at(minute) }),
          );
          merger.v1(v1Body('envelope', records), null);
        } else {
          const source = streams.get(action.agent) ?? {
            stream: unique('stream'),
            boot: unique('boot'),
            head: null,
            bases: new Map<string, number>(),
          };
          streams.set(action.agent, source);
          const batch = unique('batch');
          const samples = action.reports.map(({ id, minute, down, up }) => {
            // A journal has one base for a connection, and never counts below it.
            const base = source.bases.get(id) ?? action.base;
            source.bases.set(id, base);
            meet(action.agent, id, base + down, base + up, base);
            return [IDS.indexOf(id) + 1, BASE_MINUTE + minute, base + down, base + up, 0, 0, 0];
          });
          const body = v2Body(action.agent, {
            stream: source.stream,
            boot: source.boot,
            prev: source.head,
            batch,
            strings: ['', ...IDS],
            connections: [...source.bases].map(([id, base]) =>
              connectionRow(IDS.indexOf(id) + 1, 0, { base: [base, base] }),
            ),
            samples,
          });
          const answer = merger.v2(decodeV2(body), null, false);
          expect([answer.ok, answer.rejected]).toEqual([true, []]);
          source.head = batch;
        }
      }
      while (merger.importChunk(2) > 0);
      const records = checkBooks(merger.db);
      const found = merger.db
        .prepare(
          'SELECT agent_id AS agent, id, conn_download AS down, conn_upload AS up, base_down, base_up FROM connections',
        )
        .all() as {
        agent: string;
        id: string;
        down: number;
        up: number;
        base_down: number;
        base_up: number;
      }[];
      expect(records).toHaveLength(found.length);
      expect(
        new Map(
          found.map((record) => [
            `${record.agent} ${record.id}`,
            { highest: [record.down, record.up], base: [record.base_down, record.base_up] },
          ]),
        ),
      ).toEqual(expected);
      const agents = merger.db.prepare('SELECT agent_id AS agent, records FROM agents').all() as {
        agent: string;
        records: number;
      }[];
      for (const { agent, records } of agents) {
        expect([agent, records]).toEqual([agent, found.filter((record) => record.agent === agent).length]);
      }
      merger.close();
      for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    }),
    { numRuns: 80 },
  );
});
