import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sqlite } from '../../src/common/sqlite.ts';
import { SimulatedCore } from '../../src/simulator/core.ts';
import { checkBooks } from '../support/books.ts';
import { DirectMaster } from '../support/direct-master.ts';
import { TestDirectory } from '../support/directory.ts';
import { JournalAgent } from '../support/journal-agent.ts';
import { originalRow, writeOriginal } from '../support/original-database.ts';
import { WholeMaster } from '../support/whole-master.ts';

const START = Date.UTC(2026, 6, 1, 12);
const MINUTE = 60_000;
/** What moved unseen in each minute of these tests. */
const UNSEEN = 700;
const V1_ONLY = { status: 404 } as const;

interface Minute {
  minute: number;
  core: number;
  unmeasured: number;
  attributed: number;
  unattributed: number;
}

/** The four sums of each minute, download. */
function minutesOf(db: Sqlite): Minute[] {
  checkBooks(db);
  return db
    .prepare(
      `SELECT minute - ${START / MINUTE} AS minute, sum(core) AS core, sum(unmeasured) AS unmeasured,
         sum(attributed) AS attributed, sum(unattributed) AS unattributed FROM (
           SELECT minute, down AS core, unmeasured_down AS unmeasured, 0 AS attributed, 0 AS unattributed FROM core_totals
           UNION ALL SELECT bucket, 0, 0, down, 0 FROM pending_facts WHERE kind = 0
           UNION ALL SELECT bucket, 0, 0, 0, down FROM pending_facts WHERE kind = 2)
       GROUP BY 1 ORDER BY 1`,
    )
    .all() as Minute[];
}

function sums(minutes: readonly Minute[]): Omit<Minute, 'minute'> {
  const sum = (of: keyof Minute) => minutes.reduce((n, minute) => n + minute[of], 0);
  return {
    core: sum('core'),
    unmeasured: sum('unmeasured'),
    attributed: sum('attributed'),
    unattributed: sum('unattributed'),
  };
}

/**
 * What the totals say of each minute. What is attributed lies in fewer minutes where it came by the original's wire, or
 * by import: a record of theirs has one time.
 */
function byTotals(minutes: readonly Minute[]): number[][] {
  return minutes
    .filter(({ core, unattributed }) => core !== 0 || unattributed !== 0)
    .map(({ minute, core, unattributed }) => [minute, core, unattributed]);
}

/** A core whose connections move evenly, an agent that sees them, and a master; two of them do the same. */
class World {
  readonly core = new SimulatedCore({ startAt: START, profile: null });
  now = START;
  master: DirectMaster;
  agent: JournalAgent;
  /** Where the agent delivers. */
  transport = () => this.master.transport();
  readonly #directory: TestDirectory;
  #file: string;
  #ids: string[] = [];

  constructor(directory: TestDirectory, name: string) {
    this.#directory = directory;
    this.#file = `${name}.db`;
    this.master = this.startMaster(`${name}-master.db`);
    this.agent = this.#start();
    this.agent.look();
    this.#pass(1000);
    this.#ids = [0, 1].map(() => this.core.open({ type: 'HTTPS' }, { download: 100, upload: 10 }));
    // A hop repeats bytes of the others: it must not be taken off anything.
    this.#ids.push(this.core.open({ type: 'Inner', process: '' }, { download: 50 }));
    this.agent.look();
  }

  startMaster(file: string): DirectMaster {
    return new DirectMaster(this.#directory.file(file), () => this.now);
  }

  #start(): JournalAgent {
    return new JournalAgent({
      path: this.#directory.file(this.#file),
      agentId: 'router',
      core: this.core,
      transport: {
        post: (path, body) => this.transport().post(path, body),
        close: async () => {},
      },
      wall: () => this.now,
    });
  }

  /** The agent begins again, with another file if it is given; it looks for the newer wire at once. */
  restart(file = this.#file): void {
    this.agent.close();
    this.#file = file;
    this.agent = this.#start();
    this.agent.look();
  }

  #pass(ms: number): void {
    this.now += ms;
    this.core.advance(ms);
  }

  /** So many minutes, seen every 20 s and delivered at the end of each. */
  async minutes(count: number, deliver = true): Promise<void> {
    for (let i = 0; i < count * 3; i++) {
      if (i === 1) this.#ids.push(this.core.open({ type: 'HTTPS' }, { download: 30 }));
      for (const id of this.#ids) this.core.move(id, 1000, 100);
      if (i % 3 === 1) this.core.moveUnlisted(UNSEEN, 70);
      this.#pass(20_000);
      this.agent.look();
      if (deliver && i % 3 === 2) await this.agent.deliver();
    }
  }

  onlyV1(only: boolean): void {
    this.master.fault = (_n, path) => (only && path === '/api/v2/sync' ? V1_ONLY : 'none');
  }

  found(): Minute[] {
    return minutesOf(this.master.merger.db);
  }

  close(): void {
    this.agent.close();
    this.master.close();
  }
}

let directory: TestDirectory;
let world: World;
let control: World;
beforeEach(() => {
  directory = new TestDirectory();
  world = new World(directory, 'agent');
  control = new World(directory, 'control');
});
afterEach(() => {
  world.close();
  control.close();
  directory.remove();
});

describe('totals that a master hears after the bytes they cover', () => {
  it('of an agent that fell back to the original’s wire, whose master is then upgraded', async () => {
    world.onlyV1(true);
    await world.minutes(5);
    expect(sums(world.found())).toMatchObject({ core: 0, unattributed: 0 });
    world.onlyV1(false);
    world.restart();
    await world.minutes(3);
    await control.minutes(5);
    control.restart();
    await control.minutes(3);
    expect(byTotals(world.found())).toEqual(byTotals(control.found()));
    expect(sums(world.found())).toEqual(sums(control.found()));
    expect(sums(world.found())).toMatchObject({ unmeasured: 0, unattributed: 8 * UNSEEN });
  });

  it('once more, after a time of v2 before: v2, v1 and v2 again on one master', async () => {
    await world.minutes(3);
    world.onlyV1(true);
    await world.minutes(4);
    world.onlyV1(false);
    world.restart();
    await world.minutes(2);
    await control.minutes(3);
    await control.minutes(4);
    control.restart();
    await control.minutes(2);
    expect(byTotals(world.found())).toEqual(byTotals(control.found()));
    expect(sums(world.found())).toEqual(sums(control.found()));
    expect(sums(world.found())).toMatchObject({ unmeasured: 0, unattributed: 9 * UNSEEN });
  });

  it('also when the master ends between any two deliveries, and nothing of it is in memory', async () => {
    await world.minutes(2);
    for (const onlyV1 of [true, false, true, false]) {
      world.master.close();
      world.master = world.startMaster('agent-master.db');
      world.onlyV1(onlyV1);
      world.restart();
      await world.minutes(1);
    }
    await world.minutes(1);
    expect(sums(world.found())).toMatchObject({ unmeasured: 0, unattributed: 7 * UNSEEN });
  });

  it('takes back nothing a second time when everything is sent again', async () => {
    world.onlyV1(true);
    await world.minutes(3);
    world.onlyV1(false);
    world.restart();
    await world.agent.deliver();
    const once = world.found();
    world.agent.journal.db.exec(
      'UPDATE samples SET dirty = 1; UPDATE totals SET dirty = 1; UPDATE connections SET dirty = 1',
    );
    await world.agent.deliver();
    expect(world.found()).toEqual(once);
  });

  it.each(['before', 'while'])(
    'of a master of the original’s whose database is imported %s the agent delivers',
    async (when) => {
      world.onlyV1(true);
      await world.minutes(5);
      const rows = world.master.merger.db
        .prepare('SELECT id, conn_download, conn_upload, last_updated, start, type, process FROM connections')
        .all() as Record<string, string | number>[];
      world.master.close();
      writeOriginal(
        directory.file('imported.db'),
        rows.map((row) => originalRow(String(row.id), row)),
      );
      world.master = world.startMaster('imported.db');
      const { merger } = world.master;
      const importAll = () => {
        while (merger.importChunk(100) > 0);
      };
      if (when === 'before') importAll();
      world.restart();
      await world.minutes(3);
      importAll();
      const { core, attributed, unmeasured, unattributed } = sums(world.found());
      expect([unmeasured, unattributed]).toEqual([0, 8 * UNSEEN]);
      expect(core).toBe(attributed + unattributed);
      // The import has each connection in one minute; unattributed comes by the totals, where it was.
      await control.minutes(5);
      control.restart();
      await control.minutes(3);
      const of = (minutes: Minute[]) => minutes.map((one) => [one.minute, one.core, one.unattributed]);
      expect(of(world.found())).toEqual(of(control.found()));
    },
  );
});

describe('/verify of an agent whose master was upgraded', () => {
  it('is balanced in every part of the time, and has each unseen byte once', async () => {
    const master = await new WholeMaster(directory.path).start();
    try {
      let onlyV1 = true;
      const through = master.transport();
      world.transport = () => ({
        post: async (path, body) =>
          onlyV1 && path === '/api/v2/sync'
            ? { kind: 'answer', status: 404, retryAfterMs: 0, body: '' }
            : await through.post(path, body),
        close: async () => {},
      });
      await world.minutes(5);
      const verify = async (from: number, to: number) => {
        const time = (minute: number) => new Date(START + minute * MINUTE).toISOString();
        const { body } = await master.get(`/verify?group=range&from=${time(from)}&to=${time(to)}`);
        return body.data[0];
      };
      expect(await verify(0, 5)).toMatchObject({ state: 'not measured', core: null });
      onlyV1 = false;
      world.restart();
      await world.minutes(3);
      for (let minute = 0; minute < 8; minute++) {
        expect(await verify(minute, minute + 1)).toMatchObject({
          state: 'balanced',
          difference: { download: 0, upload: 0 },
          unattributed: { download: UNSEEN, upload: 70 },
        });
      }
      expect(await verify(0, 8)).toMatchObject({
        state: 'balanced',
        unmeasured: { download: 0, upload: 0 },
        unattributed: { download: 8 * UNSEEN, upload: 8 * 70 },
      });
    } finally {
      await master.stop();
    }
  });
});

describe('journals under one id, one after the other', () => {
  it('begun anew while connections live: what nobody watched is unmeasured, what each saw is taken off its totals', async () => {
    await world.minutes(4);
    await world.minutes(2, false);
    world.restart('begun-anew.db');
    await world.minutes(3);
    const { core, attributed, unmeasured, unattributed } = sums(world.found());
    expect(unattributed).toBe((4 + 3) * UNSEEN);
    expect(core + unmeasured).toBe(attributed + unattributed);
    // Three that the master knew moved on while the lost journal alone watched; a fourth began then, and has a base.
    expect(unmeasured).toBe(3 * 6 * 1000);
  });

  it('an old one that is put back: its totals cover the time of the other, too, and unattributed is what it says', async () => {
    await world.minutes(3);
    world.restart('other.db');
    await world.minutes(2);
    world.restart('agent.db');
    await world.minutes(2);
    const { core, attributed, unmeasured, unattributed } = sums(world.found());
    // Unseen bytes of the time of the other are in the totals of both; bytes of connections are booked once.
    expect(unattributed).toBe((3 + 2 + 2 + 2) * UNSEEN);
    expect(core + unmeasured).toBe(attributed + unattributed);
    const shown = [...world.core.truth.connections.values()]
      .filter((truth) => truth.counted)
      .reduce((sum, truth) => sum + truth.listedDownload, 0);
    expect(attributed).toBe(shown);
  });
});
