import { join } from 'node:path';
import type { Transport } from '../../src/agent/sync/transport.ts';
import type { Restored, Side, StorePaths } from '../../src/master/backup/restore.ts';
import { restoreBackup } from '../../src/master/backup/restore.ts';
import { EMBEDDED_FACT_FILES } from '../../src/master/store/embedded/fact-files.ts';
import { SimulatedCore } from '../../src/simulator/core.ts';
import { Random } from '../../src/simulator/random.ts';
import { TestDirectory } from '../support/directory.ts';
import { JournalAgent } from '../support/journal-agent.ts';
import { WholeMaster } from '../support/whole-master.ts';

/** Long past, so that no minute is still open. */
const START = Date.UTC(2026, 6, 1, 12);

export const QUIET = { signal: new AbortController().signal, report: () => {} };

/** Where a master of that name has its stores. */
export function storePaths(directory: string, name = 'master'): StorePaths {
  return {
    records: join(directory, `${name}.db`),
    facts: join(directory, `${name}.facts.duckdb`),
    files: EMBEDDED_FACT_FILES,
  };
}

class Member {
  readonly id: string;
  readonly core = new SimulatedCore({ startAt: START, profile: null });
  readonly agent: JournalAgent;
  readonly #random: Random;
  #ids: string[] = [];

  constructor(id: string, directory: TestDirectory, transport: Transport, wall: () => number) {
    this.id = id;
    this.#random = new Random(`household ${id}`);
    this.agent = new JournalAgent({
      path: directory.file(`${id}.db`),
      agentId: id,
      core: this.core,
      transport,
      wall,
    });
    // What a core counted before its first snapshot is in no sum.
    this.agent.look();
  }

  /** Connections come, move and go, and some bytes move that belong to none. */
  live(ms: number): void {
    this.core.advance(ms);
    for (let opened = this.#random.between(0, 2); opened > 0; opened--) {
      const host = `h${this.#random.between(1, 20)}.example.com`;
      this.#ids.push(this.core.open({ type: 'HTTPS', host }, { download: this.#random.between(0, 500) }));
    }
    for (const id of this.#ids)
      this.core.move(id, this.#random.between(0, 1000), this.#random.between(0, 50));
    this.core.moveUnlisted(this.#random.between(0, 30), 1);
    this.agent.look();
    const going = this.#ids[0];
    if (going !== undefined && this.#ids.length > 12) {
      this.core.close(going);
      this.#ids = this.#ids.slice(1);
    }
  }
}

/**
 * A whole master over its socket, and two agents that watch a core each; minutes pass as the test says. While the master
 * is away the agents go on, as they do.
 */
export class Household {
  readonly directory = new TestDirectory();
  readonly paths = storePaths(this.directory.path);
  readonly members: Member[];
  #now = START;
  #master: WholeMaster | null = null;

  constructor() {
    const transport: Transport = {
      post: (path, body) =>
        this.#master?.transport().post(path, body) ??
        Promise.resolve({ kind: 'failed', reason: 'ECONNREFUSED' }),
      close: async () => {},
    };
    this.members = ['home', 'office'].map((id) => new Member(id, this.directory, transport, () => this.#now));
  }

  get master(): WholeMaster {
    if (this.#master === null) throw new Error('there is no master now');
    return this.#master;
  }

  async start(): Promise<void> {
    this.#master = await new WholeMaster(this.directory.path).start();
  }

  async stop(): Promise<void> {
    const master = this.#master;
    this.#master = null;
    await master?.stop();
  }

  /** So many minutes, seen every 20 s; each agent tries to deliver once in each. */
  async minutes(count: number): Promise<void> {
    for (let minute = 0; minute < count; minute++) {
      for (let look = 0; look < 3; look++) {
        this.#now += 20_000;
        for (const member of this.members) member.live(20_000);
      }
      for (const { agent } of this.members) await agent.step();
      if (this.#master !== null) await this.#master.flusher.drain();
    }
  }

  /** A quiet night passes; everything that the agents have is at the master then, and in its facts. */
  async settle(): Promise<void> {
    this.#now += 13 * 3_600_000;
    for (const { agent, core } of this.members) {
      core.advance(13 * 3_600_000);
      agent.look();
    }
    for (const { agent } of this.members) await agent.deliver();
    await this.master.flusher.drain();
  }

  /** Asks the running master for a backup; returns its directory. */
  async backup(): Promise<string> {
    const lines = await this.master.backup();
    const last = JSON.parse(lines.at(-1) ?? '{}') as { status: string; data: { path: string } };
    if (last.status !== 'success') throw new Error(`no backup: ${lines.at(-1)}`);
    return last.data.path;
  }

  restore(backup: string, ...sides: Side[]): Promise<Restored> {
    return restoreBackup(backup, this.paths, sides, QUIET);
  }

  async close(): Promise<void> {
    for (const { agent } of this.members) agent.close();
    await this.stop();
    this.directory.remove();
  }
}
