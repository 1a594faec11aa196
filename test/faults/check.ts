import type { BookState } from '../../src/agent/books/state.ts';
import { minuteOf } from '../../src/domain/bucket.ts';
import type { RecordRow as RecordsRow } from '../support/records-file.ts';
import type { TestAgent } from './agent.ts';
import { checkFacts } from './check-facts.ts';
import type { Schedule } from './schedule.ts';

interface RecordRow extends Omit<RecordsRow, 'closed_at'> {
  last_bucket: number;
  pruned: number;
}

export interface FactRow {
  seq: number;
  lot: number;
  conn: number;
  kind: number;
  bucket: number;
  prev: number;
  recovered: number;
  down: number;
  up: number;
  conns: number;
  agent_id: string;
}

interface JournalRow {
  key: number;
  id: string;
  base_down: number;
  base_up: number;
  down: number;
  up: number;
}

/** Everything that must hold at quiescence; throws with what does not. Returns how many statements were checked. */
export async function check(schedule: Schedule): Promise<number> {
  const db = schedule.master.merger.db;
  const columns =
    'num, id, agent_id, counted, conn_download AS down, conn_upload AS up, base_down, base_up, last_bucket';
  const records = db
    .prepare(
      `SELECT ${columns}, 0 AS pruned FROM connections UNION ALL SELECT ${columns}, 1 AS pruned FROM test_pruned`,
    )
    .all() as RecordRow[];
  const facts = db
    .prepare(
      'SELECT * FROM (SELECT * FROM pending_facts UNION ALL SELECT * FROM test_dropped) ORDER BY coalesce(lot, 1e9), seq',
    )
    .all() as FactRow[];
  const checker = new Checker(schedule, records, facts);
  checker.conservationPerConnection();
  checker.factsInOrder();
  checker.nothingAboveTruth();
  for (const agent of schedule.agents) checker.sameAsJournal(agent);
  checker.balancedMinutes();
  checker.nettedByJournal();
  if (schedule.exactMinutes) for (const agent of schedule.agents) checker.minutesAndTotals(agent);
  for (const agent of schedule.agents) {
    if (schedule.oneJournal) checker.asShown(agent);
  }
  checker.nothingRefused();
  checker.times();
  if (schedule.facts !== null)
    checker.statements += await checkFacts(schedule.facts.store, db, facts, schedule.has('restore-master'));
  return checker.statements;
}

class Checker {
  readonly #schedule: Schedule;
  readonly #records: RecordRow[];
  readonly #facts: FactRow[];
  readonly #byConn = new Map<number, FactRow[]>();
  readonly #byId = new Map<string, RecordRow[]>();
  statements = 0;

  constructor(schedule: Schedule, records: RecordRow[], facts: FactRow[]) {
    this.#schedule = schedule;
    this.#records = records;
    this.#facts = facts;
    for (const record of records) {
      const key = `${record.agent_id} ${record.id}`;
      const list = this.#byId.get(key);
      if (list === undefined) this.#byId.set(key, [record]);
      else list.push(record);
    }
    for (const fact of facts) {
      if (fact.kind === 2) continue;
      const list = this.#byConn.get(fact.conn);
      if (list === undefined) this.#byConn.set(fact.conn, [fact]);
      else list.push(fact);
    }
  }

  #hold(condition: boolean, text: () => string): void {
    this.statements++;
    if (!condition) throw new Error(text());
  }

  /** I1 on the master: booked = highest value − lowest base. */
  conservationPerConnection(): void {
    for (const record of this.#records) {
      const facts = this.#byConn.get(record.num) ?? [];
      const down = facts.reduce((sum, fact) => sum + fact.down, 0);
      const up = facts.reduce((sum, fact) => sum + fact.up, 0);
      this.#hold(
        down === record.down - record.base_down && up === record.up - record.base_up,
        () =>
          `I1: ${record.id} booked ${down}/${up}, counter ${record.down}/${record.up} − base ${record.base_down}/${record.base_up}`,
      );
      this.#hold(
        facts.every((fact) => fact.down >= 0 && fact.up >= 0),
        () => `negative fact of ${record.id}`,
      );
      this.#hold(
        facts.every((fact) => fact.kind === (record.counted === 1 ? 0 : 1)),
        () => `kind of ${record.id}`,
      );
    }
  }

  /** Facts of a connection come in order; each counts it once in its bucket. So counts are exact (I5). */
  factsInOrder(): void {
    for (const record of this.#records) {
      const facts = this.#byConn.get(record.num) ?? [];
      this.#hold(facts.length > 0, () => `${record.id} has no fact`);
      let last = 0;
      for (const fact of facts) {
        const expected = fact.bucket > last || last === 0 ? 1 : 0;
        this.#hold(
          fact.bucket >= last && (fact.prev === last || fact.prev === fact.bucket || expected === 0),
          () => `order of ${record.id}: bucket ${fact.bucket} prev ${fact.prev} after ${last}`,
        );
        if (fact.bucket > last) {
          const sum = facts.filter((f) => f.bucket === fact.bucket).reduce((n, f) => n + f.conns, 0);
          this.#hold(sum === 1, () => `${record.id} counts ${sum} times in ${fact.bucket}`);
          this.#hold(fact.prev === last, () => `${record.id} prev ${fact.prev}, but ${last} was before`);
        }
        last = fact.bucket;
      }
      this.#hold(last === record.last_bucket, () => `${record.id} last_bucket`);
    }
  }

  /** Nothing is ever booked above what the core showed. */
  nothingAboveTruth(): void {
    for (const record of this.#records) {
      const truth = this.#schedule.core.truth.connections.get(record.id);
      this.#hold(
        truth !== undefined && record.down <= truth.listedDownload && record.up <= truth.listedUpload,
        () => `above truth: ${record.id} ${record.down} > ${truth?.listedDownload}`,
      );
      if (truth === undefined) continue;
      this.#hold(truth.counted === (record.counted === 1), () => `counted of ${record.id}`);
      // Still open: the last snapshot went to every agent, so the master must have exactly that.
      if (truth.closedAt === null && record.pruned === 0) {
        this.#hold(
          record.down === truth.listedDownload && record.up === truth.listedUpload,
          () =>
            `open ${record.id} has ${record.down}/${record.up}, core showed ${truth.listedDownload}/${truth.listedUpload}`,
        );
      }
    }
    // Not even in two records, of which one was pruned.
    for (const records of this.#byId.values()) {
      if (records.length < 2 || !this.#oneJournal()) continue;
      const id = records[0]?.id ?? '';
      const down = records.reduce((sum, record) => sum + record.down - record.base_down, 0);
      const truth = this.#schedule.core.truth.connections.get(id);
      this.#hold(
        down <= (truth?.listedDownload ?? 0),
        () => `booked twice: ${id} ${down} > ${truth?.listedDownload}`,
      );
    }
    const known = new Set(this.#records.map((record) => record.id));
    for (const truth of this.#schedule.core.truth.connections.values()) {
      if (truth.closedAt !== null || truth.listedAt === null) continue;
      this.#hold(known.has(truth.id) || this.#refused, () => `open connection ${truth.id} is missing`);
    }
  }

  /** I3: every connection of a living journal is on the master with at least its counters, from its base or below. */
  sameAsJournal(agent: TestAgent): void {
    const rows = agent.journal.db
      .prepare(
        `SELECT key, id, base_down, base_up, conn_download AS down, conn_upload AS up FROM connections`,
      )
      .all() as JournalRow[];
    const newest = agent.journal.db
      .prepare('SELECT conn, max(down) AS down, max(up) AS up FROM samples GROUP BY conn')
      .all() as { conn: number; down: number; up: number }[];
    const samples = new Map(newest.map((row) => [row.conn, row]));
    const alone = this.#oneJournal();
    for (const row of rows) {
      const known = this.#byId.get(`${agent.options.agentId} ${row.id}`) ?? [];
      const record = known[0];
      if (record === undefined && this.#refused) continue;
      this.#hold(record !== undefined, () => `${row.id} of the journal is not on the master`);
      if (record === undefined) continue;
      const down = samples.get(row.key)?.down ?? row.down;
      const up = samples.get(row.key)?.up ?? row.up;
      // What was pruned is forgotten; a clone that is behind may have begun a second record then.
      if (known.some((one) => one.pruned === 1) || this.#refused) continue;
      this.#hold(
        record.down >= down &&
          record.up >= up &&
          record.base_down <= row.base_down &&
          record.base_up <= row.base_up,
        () => `I3: ${row.id} journal ${down}/${up}, master ${record.down}/${record.up}`,
      );
      if (!alone) continue;
      this.#hold(
        record.down === down && record.up === up && record.base_down === row.base_down,
        () => `I3 exactly: ${row.id} journal ${down}/${up}, master ${record.down}/${record.up}`,
      );
    }
  }

  /** Whether nothing but this journal told the master of its connections, with their bases (the original's wire has none). */
  #oneJournal(): boolean {
    const { faults } = this.#schedule;
    return this.#schedule.oneJournal && !faults.has('v1-replaced') && !faults.has('v1-fallback');
  }

  /** Whether the master refused something as too old: only one that prunes may. */
  get #refused(): boolean {
    const { db } = this.#schedule.master.merger;
    return db.prepare("SELECT 1 FROM quarantine WHERE code = 'too-old'").get() !== undefined;
  }

  /** Only a master that removes records refuses anything: what may have been booked with one that it removed. */
  nothingRefused(): void {
    const { db } = this.#schedule.master.merger;
    const rows = db.prepare('SELECT what, code, row FROM quarantine').all() as {
      what: string;
      code: string;
      row: string;
    }[];
    this.#hold(rows.length === 0 || this.#schedule.has('prune'), () => `refused: ${JSON.stringify(rows[0])}`);
    const horizon = db.prepare("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'horizon'").pluck();
    // A clock far ahead told of minutes that no horizon reaches (docs/adr/0026).
    const ahead = this.#schedule.has('clock-jump');
    const behind = ahead ? Number.MAX_SAFE_INTEGER : minuteOf(horizon.get() as number);
    for (const row of rows) {
      this.#hold(
        row.code === 'too-old' || (row.code === 'unknown-connection' && isRepeated(row.row, behind)),
        () => `refused: ${JSON.stringify(row)}`,
      );
    }
  }

  /**
   * Against what was shown to the agent, computed without the program: accepted increases to the byte, and every
   * connection's bytes, but for what a `lost` row explains.
   */
  asShown(agent: TestAgent): void {
    const { agentId } = agent.options;
    const { accepted, connections } = agent.oracle;
    const state = JSON.parse(agent.journal.meta('books') ?? '{}') as BookState;
    this.#hold(
      state.accepted.download === accepted.download && state.accepted.upload === accepted.upload,
      () =>
        `A6: accepted ${state.accepted.download}/${state.accepted.upload}, shown ${accepted.download}/${accepted.upload}`,
    );
    const { db } = this.#schedule.master.merger;
    const core = db
      .prepare(
        `SELECT coalesce(sum(down), 0) AS down, coalesce(sum(up), 0) AS up, coalesce(sum(unmeasured_down), 0) AS unmeasured
         FROM core_totals WHERE agent_id = ?`,
      )
      .get(agentId) as { down: number; up: number; unmeasured: number };
    this.#hold(
      core.down === accepted.download && core.up === accepted.upload,
      () => `I2: totals ${core.down}/${core.up} on the master, shown ${accepted.download}/${accepted.upload}`,
    );
    this.#unattributed(agent);
    if (!this.#oneJournal()) return;
    this.#hold(core.unmeasured === 0, () => `I2: ${core.unmeasured} bytes are in no totals`);
    let missing = 0;
    for (const [id, shown] of connections) {
      const records = this.#byId.get(`${agentId} ${id}`) ?? [];
      const down = records.reduce((sum, record) => sum + record.down - record.base_down, 0);
      const up = records.reduce((sum, record) => sum + record.up - record.base_up, 0);
      const wanted = { down: shown.download - shown.base.download, up: shown.upload - shown.base.upload };
      this.#hold(
        down <= wanted.down && up <= wanted.up,
        () => `I3: ${id} booked ${down}/${up}, shown ${wanted.down}/${wanted.up}`,
      );
      const less = down < wanted.down || up < wanted.up || records.length === 0;
      this.#hold(
        !less || this.#mayMiss(),
        () => `I3: ${id} booked ${down}/${up}, shown ${wanted.down}/${wanted.up}`,
      );
      if (shown.counted) missing += wanted.down - down;
      if (this.#schedule.exactMinutes) this.#recovered(records, shown.recovered.download);
    }
    if (this.#refused) return;
    const lost = agent.journal.db.prepare('SELECT coalesce(sum(down), 0) AS down FROM lost').get() as {
      down: number;
    };
    this.#hold(missing <= lost.down, () => `${missing} bytes are missing, lost rows explain ${lost.down}`);
  }

  /**
   * I2: unattributed is what the totals shown rose by and no counted connection did, by whatever wires and however often
   * the master was told; what was given up is part of it.
   */
  #unattributed(agent: TestAgent): void {
    if (this.#schedule.has('v1-replaced') || this.#mayMiss()) return;
    const { accepted, connections } = agent.oracle;
    for (const [side, way] of [
      ['down', 'download'],
      ['up', 'upload'],
    ] as const) {
      const facts = this.#facts.filter((fact) => fact.kind === 2 && fact.agent_id === agent.options.agentId);
      const found = facts.reduce((sum, fact) => sum + fact[side], 0);
      let wanted = accepted[way];
      for (const shown of connections.values()) {
        if (shown.counted) wanted -= shown[way] - shown.base[way];
      }
      this.#hold(found === wanted, () => `I2: ${found} bytes ${way} are unattributed, shown ${wanted}`);
    }
  }

  /** A4: what was first seen after a gap is marked, and nothing else. */
  #recovered(records: RecordRow[], shown: number): void {
    for (const record of records) {
      const facts = (this.#byConn.get(record.num) ?? []).filter((fact) => fact.recovered === 1);
      const down = facts.reduce((sum, fact) => sum + fact.down, 0);
      this.#hold(down === shown, () => `A4: ${record.id} has ${down} recovered, shown ${shown}`);
    }
  }

  /** Whether connections may be gone that nobody can send again. */
  #mayMiss(): boolean {
    const { faults } = this.#schedule;
    return (
      faults.has('disk-budget') || (faults.has('retention') && faults.has('restore-master')) || this.#refused
    );
  }

  /** core + unmeasured = attributed + unattributed, in every minute of every agent (P10's difference is 0). */
  balancedMinutes(): void {
    const sums = new Map<string, { down: number; up: number }>();
    const add = (agent: string, minute: number, down: number, up: number) => {
      const key = `${agent} ${minute}`;
      const sum = sums.get(key) ?? { down: 0, up: 0 };
      sum.down += down;
      sum.up += up;
      sums.set(key, sum);
    };
    for (const fact of this.#facts) if (fact.kind !== 1) add(fact.agent_id, fact.bucket, fact.down, fact.up);
    const totals = this.#schedule.master.merger.db.prepare('SELECT * FROM core_totals').all() as {
      agent_id: string;
      minute: number;
      down: number;
      up: number;
      unmeasured_down: number;
      unmeasured_up: number;
    }[];
    for (const row of totals) {
      add(row.agent_id, row.minute, -row.down - row.unmeasured_down, -row.up - row.unmeasured_up);
    }
    for (const [key, sum] of sums) {
      this.#hold(sum.down === 0 && sum.up === 0, () => `unbalanced minute ${key}: ${sum.down}/${sum.up}`);
    }
  }

  /** Unattributed is what each journal's totals rose by, less what that journal saw of counted connections, restored or not. */
  nettedByJournal(): void {
    const { faults } = this.#schedule;
    // What is pruned takes its bases along.
    if (faults.has('prune')) return;
    // One stream with two bases of a connection: the later one is in the file, and says nothing of before.
    if (this.#schedule.agents.some((agent) => agent.copiedUnattached)) return;
    const rows = this.#schedule.master.merger.db
      .prepare(
        `SELECT s.agent_id, sum(s.totals_down - coalesce(c.down, 0)) AS down, sum(s.totals_up - coalesce(c.up, 0)) AS up
         FROM streams s LEFT JOIN (
           SELECT b.stream, sum(coalesce(b.covered_down, r.conn_download) - b.down) AS down,
             sum(coalesce(b.covered_up, r.conn_upload) - b.up) AS up
           FROM bases b JOIN connections r ON r.num = b.conn WHERE r.counted = 1 GROUP BY b.stream
         ) c ON c.stream = s.num GROUP BY s.agent_id`,
      )
      .all() as { agent_id: string; down: number; up: number }[];
    for (const row of rows) {
      const facts = this.#facts.filter((fact) => fact.kind === 2 && fact.agent_id === row.agent_id);
      const down = facts.reduce((sum, fact) => sum + fact.down, 0);
      const up = facts.reduce((sum, fact) => sum + fact.up, 0);
      this.#hold(
        down === row.down && up === row.up,
        () => `netted: ${down}/${up} unattributed, journals say ${row.down}/${row.up}`,
      );
    }
  }

  /** One live journal: each minute's bytes are the journal's, and the totals are those that were accepted. */
  minutesAndTotals(agent: TestAgent): void {
    const { agentId } = agent.options;
    const records = this.#records.filter((record) => record.agent_id === agentId);
    const samples = agent.journal.db
      .prepare(
        `SELECT c.id, s.minute, s.down, s.up, c.base_down, c.base_up FROM samples s JOIN connections c ON c.key = s.conn
         ORDER BY s.conn, s.minute`,
      )
      .all() as {
      id: string;
      minute: number;
      down: number;
      up: number;
      base_down: number;
      base_up: number;
    }[];
    const expected = new Map<string, string>();
    let id = '';
    let before = { down: 0, up: 0 };
    for (const sample of samples) {
      if (sample.id !== id) {
        id = sample.id;
        before = { down: sample.base_down, up: sample.base_up };
      }
      const down = sample.down - before.down;
      const up = sample.up - before.up;
      before = sample;
      if (down !== 0 || up !== 0) expected.set(`${id} ${sample.minute}`, `${down}/${up}`);
    }
    const found = new Map<string, { down: number; up: number }>();
    const ids = new Map(records.map((record) => [record.num, record.id]));
    for (const fact of this.#facts) {
      const key = ids.get(fact.conn);
      if (fact.kind === 2 || key === undefined || (fact.down === 0 && fact.up === 0)) continue;
      const sum = found.get(`${key} ${fact.bucket}`) ?? { down: 0, up: 0 };
      found.set(`${key} ${fact.bucket}`, { down: sum.down + fact.down, up: sum.up + fact.up });
    }
    for (const [key, value] of expected) {
      const sum = found.get(key);
      this.#hold(
        sum !== undefined && `${sum.down}/${sum.up}` === value,
        () => `minute ${key}: journal ${value}, master ${sum?.down}/${sum?.up}`,
      );
    }
    this.#hold(
      found.size === expected.size,
      () => `${found.size} minutes booked, ${expected.size} in the journal`,
    );
    this.#totals(agent, agentId);
  }

  /** I2 across sync: attributed (counted) + unattributed = what the journal accepted; nothing unmeasured. */
  #totals(agent: TestAgent, agentId: string): void {
    const state = JSON.parse(agent.journal.meta('books') ?? '{}') as BookState;
    const mine = this.#facts.filter((fact) => fact.agent_id === agentId && fact.kind !== 1);
    const down = mine.reduce((sum, fact) => sum + fact.down, 0);
    const up = mine.reduce((sum, fact) => sum + fact.up, 0);
    this.#hold(
      down === state.accepted.download && up === state.accepted.upload,
      () => `I2: booked ${down}/${up}, accepted ${state.accepted.download}/${state.accepted.upload}`,
    );
    // Without resets, restarts and breaks the accepted increases are simply what the totals rose by.
    const { faults } = this.#schedule;
    const smooth = !['core-restart', 'statistics-reset', 'stall', 'agent-crash'].some((fault) =>
      (faults as ReadonlySet<string>).has(fault),
    );
    if (!smooth) return;
    const unattributed = mine.filter((fact) => fact.kind === 2);
    const rest = unattributed.reduce((sum, fact) => sum + fact.down, 0);
    this.#hold(rest >= 0, () => `unattributed ${rest} is negative`);
  }

  /** I6: nothing lies before the first attach, by the agents' clocks, or beyond the skew bound. */
  times(): void {
    const clocks = this.#schedule.agents.map((agent) => agent.earliest);
    const first = Math.floor(Math.min(...clocks, this.#schedule.begun) / 60_000);
    const last = Math.floor(this.#schedule.now / 60_000) + 10;
    for (const agent of this.#schedule.agents) {
      // No clock was ever ahead in these schedules, so neither is what an agent makes of it.
      if (this.#schedule.has('clock-jump')) break;
      this.#hold(
        agent.ahead <= 10 * 60_000,
        () => `I6: the clock of an agent was ahead by ${agent.ahead} ms`,
      );
    }
    for (const fact of this.#facts) {
      this.#hold(
        fact.bucket >= first && fact.bucket <= last,
        () => `I6: bucket ${fact.bucket} outside ${first}…${last}`,
      );
    }
  }
}

/** Whether a sample, as it was refused, is one that was sent before, of a minute before `behind`. */
function isRepeated(row: string, behind: number): boolean {
  const [, minute = 0, , , , , flags = 0] = JSON.parse(row) as number[];
  return flags !== 0 && minute < behind;
}
