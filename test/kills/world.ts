import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROUTER } from '../../src/simulator/profiles.ts';
import { Random } from '../../src/simulator/random.ts';
import { startAgent } from '../support/agent.ts';
import { type CommandOptions, type Ended, type RunningCommand, SOURCES } from '../support/command.ts';
import { TestCore } from '../support/core.ts';
import { TestDirectory } from '../support/directory.ts';
import { MasterProcess } from '../support/master.ts';
import { sleep, waitFor } from '../support/wait.ts';
import { OriginalRows } from './original.ts';
import type { Kill } from './points.ts';
import { Wire } from './wire.ts';

const FAIL_POINTS = pathToFileURL(join(import.meta.dirname, 'fail-points.ts')).href;
/** A process that never comes to its point, or does not come back, has failed; machines are shared. */
const PATIENCE_MS = 60_000;
/** An agent whose master was away comes back after a random wait, which may be a minute after some attempts. */
const ARRIVAL_MS = 150_000;
/** Rows of the original's database for each kill during the import: three chunks. */
const IMPORTED_AT_ONCE = 2500;

/** What is steady is known by every agent through all restarts; the rest comes and goes, some of it never listed. */
const TRAFFIC = {
  ...ROUTER,
  steady: 40,
  steadyBytesPerSecond: 20_000,
  steadyLifetimeMs: 60_000,
  arrivals: 8,
  pageEveryMs: 15_000,
  pageConnections: [20, 40],
  lateShare: 0.1,
  udpShare: 0.05,
  tcpLifetime: { medianMs: 3000, sigma: 1 },
  hopShare: 0.2,
  providerUpdateEveryMs: 60_000,
  speedTestEveryMs: Number.POSITIVE_INFINITY,
  tornShare: 0,
} as const;

/** An agent's process and what it watches. */
export class AgentSlot {
  readonly id: string;
  readonly core: TestCore;
  readonly journal: string;
  readonly failPoint: string;
  command!: RunningCommand;
  /** Core time in which it did not watch, or may have lost what it had not flushed. */
  readonly blind: { from: number; to: number }[] = [];

  constructor(id: string, directory: TestDirectory, seed: string) {
    this.id = id;
    this.journal = directory.file(`${id}.db`);
    this.failPoint = directory.file(`${id}.fail-point`);
    this.core = new TestCore({ core: { seed, profile: TRAFFIC } });
  }
}

/** Two cores with an agent each, a wire, and a master: real processes, killed and started again round by round. */
export class World {
  readonly directory = new TestDirectory();
  readonly random: Random;
  readonly agents: AgentSlot[];
  readonly database = this.directory.file('master.db');
  readonly originals: OriginalRows;
  readonly #failPoint = this.directory.file('master.fail-point');
  readonly #wire = new Wire(() => this.#port);
  #port = 0;
  #master: MasterProcess | null = null;
  #asking = true;
  #asker: Promise<void> | null = null;

  constructor(seed: number) {
    this.random = new Random(`kills ${seed}`);
    this.agents = ['a', 'b'].map((id) => new AgentSlot(id, this.directory, `kills ${seed} ${id}`));
    this.originals = new OriginalRows(this.database, this.random);
  }

  get master(): MasterProcess {
    if (this.#master === null) throw new Error('there is no master now');
    return this.#master;
  }

  /** Everybody is attached to a core at rest with nothing moved yet; then traffic begins. */
  async begin(): Promise<void> {
    this.originals.add(IMPORTED_AT_ONCE);
    await this.#startMaster();
    await this.#wire.start();
    for (const agent of this.agents) {
      await agent.core.start();
      this.#startAgent(agent);
      await agent.command.said(/"core run"/);
    }
    await waitFor('both agents at the master', async () => {
      const agents = await this.master.data<{ agent_id: string }[]>('/agents');
      return this.agents.every(({ id }) => agents.some((agent) => agent.agent_id === id));
    });
    for (const { core } of this.agents) core.begin();
    this.#asker = this.#askForStatistics();
  }

  /** Kills one process in the named way, starts it again, and waits until the newest traffic of all has arrived. */
  async round(number: number, kill: Kill): Promise<void> {
    const agent = this.random.pick(this.agents);
    const downMs = this.random.between(0, 400);
    if (kill.victim === 'agent') {
      const from = agent.core.core.now;
      const ended = await this.#killed(agent.command, kill, agent.failPoint);
      await sleep(downMs);
      this.#startAgent(agent);
      await waitFor('an agent that watches', () => agent.core.server.clients > 0, {
        timeoutMs: PATIENCE_MS,
      });
      agent.blind.push({ from, to: agent.core.core.now });
      assertKilled(ended, kill);
    } else {
      const ended = await this.#killMaster(kill);
      await this.#wire.stop();
      await sleep(downMs);
      await this.#startMaster();
      await this.#wire.start();
      assertKilled(ended, kill);
    }
    await this.#newestArrives(number);
  }

  async #killMaster(kill: Kill): Promise<Ended> {
    const isImport = typeof kill.by === 'object' && kill.by.point.startsWith('import');
    if (!isImport) return await this.#killed(this.master.command, kill, this.#failPoint);
    await this.master.command.kill();
    this.#master = null;
    this.originals.add(IMPORTED_AT_ONCE);
    this.#arm(kill, this.#failPoint);
    return await this.#end(this.#launchMaster(), this.#failPoint);
  }

  async #killed(victim: RunningCommand, kill: Kill, failPoint: string): Promise<Ended> {
    if (kill.by === 'stopping') {
      victim.signal('SIGTERM');
      await sleep(this.random.between(0, 150));
      return await victim.kill();
    }
    if (typeof kill.by === 'object') this.#arm(kill, failPoint);
    else this.#wire.lose(kill.by, () => victim.signal('SIGKILL'));
    try {
      return await this.#end(victim, failPoint);
    } finally {
      this.#wire.heal();
    }
  }

  #arm({ by }: Kill, failPoint: string): void {
    if (typeof by !== 'object') return;
    const nonce = this.random.uint32();
    writeFileSync(failPoint, `${by.point}\t${this.random.between(1, by.most)}\t${nonce}`);
  }

  async #end(victim: RunningCommand, failPoint: string): Promise<Ended> {
    const late = sleep(PATIENCE_MS).then(() => null);
    const ended = await Promise.race([victim.exited, late]);
    rmSync(failPoint, { force: true });
    if (ended !== null) return ended;
    await victim.kill();
    return { code: null, signal: null };
  }

  /** A connection that the test opens now must reach the master from every agent. */
  async #newestArrives(number: number): Promise<void> {
    const host = `round-${number}.example`;
    const opened = this.agents.map(({ core }) => ({
      core: core.core,
      id: core.core.open({ host, type: 'Tun' }, { download: number, upload: 1 }),
    }));
    await waitFor(
      `what is new in round ${number}`,
      async () => (await this.master.data<unknown[]>(`/connections?host=${host}`)).length === opened.length,
      { timeoutMs: ARRIVAL_MS, everyMs: 100 },
    );
    for (const { core, id } of opened) core.close(id);
  }

  /** Traffic ends; resolves when all of it is at the master and in the fact store, and everything has stopped. */
  async end(arrived: () => boolean): Promise<{ agents: Ended[]; master: Ended; answers: Answers }> {
    for (const { core } of this.agents) core.rest();
    await waitFor('everything at the master', arrived, { timeoutMs: ARRIVAL_MS, everyMs: 500 });
    const answers = {
      verify: await this.master.data<Answers['verify']>('/verify?from=2026-01-01T00:00:00Z'),
      sums: Object.fromEntries(
        await Promise.all(
          this.agents.map(async ({ id }) => [
            id,
            await this.master.data<Sums>(`/stats?type=summary&agent=${id}`),
          ]),
        ),
      ) as Record<string, Sums>,
    };
    const agents = [];
    for (const { command } of this.agents) agents.push(await command.stop('SIGTERM', PATIENCE_MS));
    this.#asking = false;
    await this.#asker;
    return { agents, master: await this.master.command.stop('SIGTERM', PATIENCE_MS), answers };
  }

  /** The newest that everybody said, for whoever looks for what went wrong. */
  lastWords(): string {
    const commands = this.agents.map(({ id, command }): [string, RunningCommand] => [`agent ${id}`, command]);
    if (this.#master !== null) commands.push(['master', this.#master.command]);
    return commands.map(([name, { stderr }]) => `-- ${name}\n${stderr.slice(-3000)}`).join('\n');
  }

  async close(): Promise<void> {
    this.#asking = false;
    for (const { command, core } of this.agents) {
      await command?.kill();
      await core.stop();
    }
    await this.#master?.command.kill();
    await this.#wire.stop();
    this.directory.remove();
  }

  #options(failPoint: string): CommandOptions {
    return {
      program: SOURCES,
      nodeArgs: ['--import', FAIL_POINTS],
      env: { FAIL_POINT_FILE: failPoint },
    };
  }

  #launchMaster(): RunningCommand {
    return MasterProcess.launch({
      ...this.#options(this.#failPoint),
      database: this.database,
      port: this.#port,
    });
  }

  async #startMaster(): Promise<void> {
    this.#master = null;
    this.#master = await MasterProcess.of(this.#launchMaster());
    this.#port = this.#master.port;
  }

  #startAgent(agent: AgentSlot): void {
    agent.command = startAgent({
      ...this.#options(agent.failPoint),
      journal: agent.journal,
      agentId: agent.id,
      core: agent.core.port,
      masterUrl: this.#wire.url,
      // Why a delivery waits is told at this level.
      args: ['--log-level', 'debug'],
    });
  }

  /** Questions make the master seal and flush lots all the time, as a dashboard does. */
  async #askForStatistics(): Promise<void> {
    while (this.#asking) {
      await this.#master?.get('/stats?type=summary').catch(() => undefined);
      await sleep(300);
    }
  }
}

export interface Sums {
  download: number;
  upload: number;
  count: number;
}

export interface Answers {
  verify: { agent_id: string; difference: { download: number; upload: number } | null; state: string }[];
  sums: Record<string, Sums>;
}

function assertKilled({ code, signal }: Ended, kill: Kill): void {
  if (signal === 'SIGKILL') return;
  if (kill.by === 'stopping' && code === 0) return;
  throw new Error(code === null && signal === null ? 'it never came to that point' : `it ended with ${code}`);
}
