import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeV2 } from '../../src/master/ingest/decode.ts';
import { Merger } from '../../src/master/ingest/merger.ts';
import { RecordsAsFacts } from '../../src/master/ingest/records-as-facts.ts';
import { EARLIER } from '../../src/master/layout/earlier-rows.ts';
import { makeVersion6 } from '../../src/master/layout/earlier-version.test-support.ts';
import { exportConnections } from '../../src/master/records/export-connections.ts';
import { findConnection, listConnections } from '../../src/master/records/list-connections.ts';
import { ALL } from '../../src/master/records/records.test-support.ts';
import { addSqlFunctions } from '../../src/master/records/sql-functions.ts';
import { connectionRow, unique, v1Body, v1Record, v2Body } from '../support/bodies.ts';
import { checkBooks } from '../support/books.ts';
import { RunningCommand, SOURCES } from '../support/command.ts';
import { TestDirectory } from '../support/directory.ts';
import { originalRow, writeOriginal } from '../support/original-database.ts';
import { sleep, waitFor } from '../support/wait.ts';

let directory: TestDirectory;
let mergers: Merger[];
beforeEach(() => {
  directory = new TestDirectory();
  mergers = [];
});
afterEach(() => {
  for (const merger of mergers) merger.close();
  directory.remove();
});

const MINUTE = Math.floor(Date.UTC(2026, 6, 1, 12) / 60_000);
const NOW = (MINUTE + 100) * 60_000;

function open(path: string): Merger {
  const merger = new Merger({ path, now: () => NOW, reserveLocal: false });
  merger.db.pragma('synchronous = OFF');
  // What lists call for every row.
  addSqlFunctions(merger.db);
  merger.db.function('tick', () => 1);
  mergers.push(merger);
  return merger;
}

const ROWS_OF_HOUSE = Array.from({ length: 40 }, (_, i) => `c${i}`);
const IDS = Array.from({ length: 8 }, (_, i) => `6f9619ff-8b86-d011-b42d-00cf4fc964f${i}`).concat(
  'no uuid',
  'Ω',
);
const AGENTS = ['router', 'desk'];

const report = fc.record({
  id: fc.nat(IDS.length - 1),
  minute: fc.nat(90),
  down: fc.nat(1000),
  up: fc.nat(50),
  host: fc.constantFrom('', 'a.example', 'b.example', 'ü.example'),
  port: fc.constantFrom('443', '0443', '', '80'),
});
const delivery = fc.record({
  protocol: fc.constantFrom('v1', 'v2'),
  agent: fc.constantFrom(...AGENTS),
  reports: fc.array(report, { minLength: 1, maxLength: 4 }),
  closes: fc.boolean(),
});
type Delivery = typeof delivery extends fc.Arbitrary<infer T> ? T : never;

/** Gives a master what its agents say; tokens are the same for every master that is told by the same one. */
class Deliverer {
  readonly #heads = new Map<string, string>();

  tell(masters: readonly Merger[], { protocol, agent, reports, closes }: Delivery): void {
    const at = (minute: number) => new Date((MINUTE + minute) * 60_000).toISOString();
    if (protocol === 'v1') {
      const records = reports.map(({ id, minute, down, up, host, port }) =>
        v1Record(IDS[id]!, down, { upload: up, last_updated: at(minute), host, destination_port: port }),
      );
      for (const master of masters) master.v1(v1Body(agent, records), null);
      return;
    }
    const strings = ['', ...IDS, 'a.example', 'b.example', 'ü.example', '443', '0443', '80'];
    const batch = unique('batch');
    const body = v2Body(agent, {
      ...{ stream: `the-stream-of-${agent}`, boot: `the-boot-of-${agent}`, batch, strings },
      prev: this.#heads.get(agent) ?? null,
      connections: reports.map(({ id, host, port }) =>
        connectionRow(id + 1, 0, {
          start: NOW - 1000,
          fields: { host: strings.indexOf(host), destination_port: strings.indexOf(port) },
        }),
      ),
      samples: reports.map(({ id, minute, down, up }) => [id + 1, MINUTE + minute, down, up, 0, 0, 0]),
      closed: closes ? reports.map(({ id, minute }) => [id + 1, (MINUTE + minute) * 60_000 + 1]) : [],
    });
    for (const master of masters) expect(master.v2(decodeV2(body), null, false)).toMatchObject({ ok: true });
    this.#heads.set(agent, batch);
  }
}

/** All that a database says, by whatever way it is asked. */
function contentOf({ db, lots }: Merger): unknown {
  const all = (sql: string) => db.prepare(sql).all();
  const lot = all('SELECT lot, rows FROM lots') as { lot: number; rows: number }[];
  const facts = [...new RecordsAsFacts(db).facts()].flatMap((piece) => piece.facts);
  return {
    connections: all('SELECT * FROM connections ORDER BY num'),
    pending: all('SELECT * FROM pending_facts ORDER BY seq'),
    totals: all('SELECT * FROM core_totals ORDER BY agent_id, minute'),
    agents: all('SELECT agent_id, records FROM agents ORDER BY agent_id'),
    lots: lot.map(({ lot, rows }) => lots.rows(lot, 0, rows)),
    facts,
    list: listConnections(db, { ...ALL, sortBy: 'start', order: 'asc' }).records,
    found: listConnections(db, { ...ALL, filters: { host: 'a.example', agent: 'desk' } }).records,
    ofPort: listConnections(db, { ...ALL, filters: { destination_port: '443' }, sortBy: 'total' }).records,
    one: AGENTS.map((agent) => IDS.map((id) => findConnection(db, agent, id))),
    exported: exportConnections(db, ALL, null),
  };
}

describe('a file of version 6', () => {
  it('says the same as one of this version after the same deliveries, however far its rows have moved', () => {
    const step = fc.record({ delivery, chunk: fc.nat(3), seals: fc.boolean(), restarts: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(delivery, { minLength: 1, maxLength: 8 }),
        fc.array(step, { maxLength: 8 }),
        (before, steps) => {
          const [same, other] = [
            directory.file(`${unique('same')}.db`),
            directory.file(`${unique('other')}.db`),
          ];
          const deliverer = new Deliverer();
          const reference = open(same);
          let moved = open(other);
          for (const one of before) deliverer.tell([reference, moved], one);
          makeVersion6(moved.db);
          moved.close();
          moved = open(other);
          const waiting = moved.importer.left();
          expect(waiting).toBe(reference.db.prepare('SELECT count(*) FROM records').pluck().get());
          expect(contentOf(moved)).toEqual(contentOf(reference));
          for (const { delivery: one, chunk, seals, restarts } of steps) {
            deliverer.tell([reference, moved], one);
            if (chunk > 0) moved.importChunk(chunk);
            if (seals) for (const master of [reference, moved]) master.seal();
            if (restarts) {
              moved.close();
              moved = open(other);
            }
            expect(contentOf(moved)).toEqual(contentOf(reference));
          }
          while (moved.importChunk(3) > 0);
          expect(moved.importer.isAtWork).toBe(false);
          expect(contentOf(moved)).toEqual(contentOf(reference));
          for (const master of [reference, moved]) {
            checkBooks(master.db);
            master.close();
          }
          // What was made on the way is gone: both files have the same tables, indexes and views.
          expect(schemaOf(other)).toEqual(schemaOf(same));
        },
      ),
      { numRuns: 20 },
    );
  }, 180_000);

  it.each([
    [
      'of the original',
      (path: string) =>
        writeOriginal(
          path,
          ROWS_OF_HOUSE.map((id) => originalRow(id)),
        ),
    ],
    [
      'of version 6',
      (path: string) => {
        const made = open(path);
        made.v1(
          v1Body(
            'router',
            ROWS_OF_HOUSE.map((id) => v1Record(id, 100)),
          ),
          null,
        );
        makeVersion6(made.db);
        made.close();
      },
    ],
  ])('%s gives no number twice though rows got other rowids, as VACUUM may give them', (_name, make) => {
    const path = directory.file('master.db');
    make(path);
    const first = open(path);
    expect(first.importChunk(15)).toBe(25);
    first.v1(v1Body('router', [v1Record('c39', 300), v1Record('new', 1)]), null);
    first.close();
    const raw = new Database(path);
    raw.exec(`UPDATE ${EARLIER} SET rowid = -rowid; UPDATE ${EARLIER} SET rowid = -15 - rowid`);
    raw.close();
    const second = open(path);
    second.v1(v1Body('router', [v1Record('c20', 300), v1Record('newer', 1)]), null);
    while (second.importChunk(7) > 0);
    expect(checkBooks(second.db)).toHaveLength(42);
    expect(second.db.prepare('SELECT sum(conn_download) FROM connections').pluck().get()).toBe(
      40 * 100 + 2 * 200 + 2,
    );
  });

  it('is taken though its rowids are too high for numbers', () => {
    const path = directory.file('master.db');
    writeOriginal(path, [originalRow('a'), originalRow('b'), originalRow('c')]);
    const raw = new Database(path);
    raw.exec(`UPDATE connections SET rowid = 9223372036854775807 WHERE id = 'b';
      UPDATE connections SET rowid = -9223372036854775808 WHERE id = 'c'`);
    raw.close();
    const merger = open(path);
    while (merger.importChunk(1) > 0);
    expect(checkBooks(merger.db)).toHaveLength(3);
    const highest = merger.db.prepare('SELECT max(num) FROM records').pluck().get() as number;
    expect(highest).toBeLessThan(10);
  });

  it('keeps what waits where a transaction fails that met it', () => {
    const path = directory.file('master.db');
    const merger = open(path);
    merger.v1(v1Body('router', [v1Record('c', 100)]), null);
    makeVersion6(merger.db);
    merger.close();
    const again = open(path);
    again.db.exec('ALTER TABLE core_totals RENAME TO away');
    const deliver = () => again.v1(v1Body('router', [v1Record('c', 250, { host: 'other.example' })]), null);
    expect(deliver).toThrow(/core_totals/);
    again.db.exec('ALTER TABLE away RENAME TO core_totals');
    expect(again.importer.left()).toBe(1);
    deliver();
    expect(again.importer.left()).toBe(0);
    expect(again.importChunk(10)).toBe(0);
    expect(again.importer.isAtWork).toBe(false);
    expect(checkBooks(again.db)).toEqual([{ id: 'c', agent: 'router', down: 250, up: 0 }]);
    expect(again.db.prepare('SELECT host FROM connections').pluck().get()).toBe('www.example.com');
  });

  it("keeps a user's own view, and rows of the original's that were waiting in it", () => {
    const path = directory.file('master.db');
    writeOriginal(path, [originalRow('first'), originalRow('second'), originalRow('third', { id: null })]);
    // Version 6, killed when it had imported one row.
    const raw = new Database(path);
    raw.exec('CREATE VIEW mine AS SELECT id, host FROM connections WHERE id IS NOT NULL');
    raw.close();
    const halfway = open(path);
    expect(halfway.importChunk(1)).toBe(2);
    const shown = halfway.db.prepare('SELECT * FROM mine ORDER BY id').all();
    expect(shown).toEqual(['first', 'second'].map((id) => ({ id, host: 'www.example.com' })));
    makeVersion6(halfway.db);
    halfway.close();
    const merger = open(path);
    expect(merger.db.prepare('SELECT * FROM mine ORDER BY id').all()).toEqual(shown);
    while (merger.importChunk(1) > 0);
    expect(merger.db.prepare('SELECT * FROM mine ORDER BY id').all()).toEqual(shown);
    expect(checkBooks(merger.db)).toHaveLength(3);
    const nums = merger.db.prepare('SELECT num FROM connections ORDER BY num').pluck().all() as number[];
    expect(new Set(nums).size).toBe(3);
    merger.v1(v1Body('router', [v1Record('new', 1)]), null);
    expect(merger.db.prepare("SELECT num FROM connections WHERE id = 'new'").pluck().get()).toBeGreaterThan(
      Math.max(...nums),
    );
  });
});

function schemaOf(path: string): unknown {
  const db = new Database(path, { readonly: true });
  const rows = db
    .prepare("SELECT type, name, sql FROM sqlite_master WHERE name <> 'sqlite_stat1' ORDER BY name")
    .all();
  const keys = db.prepare('SELECT key FROM meta ORDER BY key').all();
  db.close();
  return { rows, keys };
}

const ROWS = 12_000;
const KILLS = 3;

it(`a file of version 6 that is killed ${KILLS} times while its rows move and agents deliver loses and doubles nothing`, async () => {
  const path = directory.file('master.db');
  const merger = open(path);
  for (let from = 0; from < ROWS; from += 1000) {
    const records = Array.from({ length: 1000 }, (_, i) => v1Record(`c${from + i}`, 100));
    merger.v1(v1Body('router', records), null);
  }
  makeVersion6(merger.db);
  const nums = merger.db.prepare('SELECT id, num FROM connections ORDER BY num').all();
  merger.close();
  const left = () => {
    const db = new Database(path, { readonly: true });
    const waits = db.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(EARLIER) !== undefined;
    const version = db.pragma('user_version', { simple: true });
    const count = waits ? (db.prepare(`SELECT count(*) FROM ${EARLIER}`).pluck().get() as number) : 0;
    db.close();
    return version === 6 ? ROWS : count;
  };
  const args = ['--database', 'master.db', '--listen-host', '127.0.0.1', '--listen-port', '0'];
  const start = () => new RunningCommand(['master', ...args], { program: SOURCES, cwd: directory.path });
  let before = ROWS;
  for (let kill = 0; kill < KILLS && before > 0; kill++) {
    const master = start();
    await waitFor('rows moved', () => left() < before, { everyMs: 5 });
    await sleep(Math.random() * 40);
    expect((await master.kill()).signal).toBe('SIGKILL');
    before = left();
    // Rows that are met while others still wait.
    const between = open(path);
    const met = [0, 5999, ROWS - 1].map((i) => v1Record(`c${i}`, 200 + kill));
    between.v1(v1Body('router', [...met, v1Record(`new${kill}`, 7)]), null);
    between.close();
  }
  const master = start();
  await waitFor('the end of the move', () => left() === 0);
  expect((await master.stop()).code).toBe(0);
  const db = new Database(path);
  const records = checkBooks(db);
  expect(records.reduce((sum, { down }) => sum + down, 0)).toBe(
    ROWS * 100 + 3 * (100 + KILLS - 1) + KILLS * 7,
  );
  const after = db.prepare("SELECT id, num FROM connections WHERE id GLOB 'c*' ORDER BY num").all();
  const { records: counted } = db.prepare('SELECT records FROM agents').get() as { records: number };
  db.close();
  expect(after).toEqual(nums);
  expect([counted, records.length]).toEqual([ROWS + KILLS, ROWS + KILLS]);
});
