import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatedCore } from '../../src/simulator/core.ts';
import { TestAgent } from './agent.ts';
import { TestFacts } from './facts.ts';
import { TestMaster } from './master.ts';
import { Network, NO_FAULTS } from './network.ts';
import { Random } from './random.ts';

/** What may go wrong in a schedule. Each schedule draws some of them (swarm testing): all at once hides most. */
export const FAULTS = [
  'drop',
  'lose-answer',
  'duplicate',
  'delay',
  'agent-crash',
  'master-crash',
  'restore-master',
  'restore-agent',
  'clone',
  'clock-skew',
  'core-restart',
  'statistics-reset',
  'stall',
  'days-offline',
  'journal-lost',
  'old-journal-back',
  'two-agents',
  'v1-replaced',
  'retention',
  'disk-budget',
  'disk-full',
  'clock-jump',
  'no-clock',
  'torn-snapshot',
  'ambiguous-gap',
  'v1-fallback',
  'small-batches',
  'prune',
  'facts-failing',
  'facts-restored',
  'facts-deleted',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Faults after which minutes, and unattributed bytes, are no promise (docs/sync.md, "Model", last point). */
const COARSENING: ReadonlySet<Fault> = new Set([
  'restore-agent',
  'clone',
  'journal-lost',
  'old-journal-back',
  'v1-replaced',
  'retention',
  'disk-budget',
  'clock-jump',
  'no-clock',
  'v1-fallback',
  'prune',
]);

/** Faults that give one agent id another journal, or its own of another time. */
const OTHER_JOURNALS: readonly Fault[] = ['restore-agent', 'clone', 'journal-lost', 'old-journal-back'];
/** Every so many schedules, facts go on into a fact store. */
const FACTS_EVERY = 10;

const MINUTE = 60_000;
const DAY = 86_400_000;
/** How long the master keeps what is closed, in schedules where it prunes. */
const PRUNE_AFTER_MS = 6 * 3_600_000;
const START = Date.UTC(2026, 2, 1);

/** A small directory in memory where there is one: a schedule commits thousands of times. */
function workDirectory(): string {
  const parent = process.platform === 'linux' ? '/dev/shm' : tmpdir();
  try {
    return mkdtempSync(join(parent, 'faults-'));
  } catch {
    return mkdtempSync(join(tmpdir(), 'faults-'));
  }
}

export interface ScheduleOptions {
  seed: number;
  /** Fixed faults in place of the drawn ones. */
  faults?: readonly Fault[];
  steps?: number;
}

/** One seeded history of a core, its agents, the network and the master; ends in quiescence. */
export class Schedule {
  readonly seed: number;
  readonly faults: ReadonlySet<Fault>;
  readonly random: Random;
  readonly core: SimulatedCore;
  readonly network: Network;
  readonly master: TestMaster;
  readonly agents: TestAgent[] = [];
  readonly directory: string;
  readonly begun = START;
  /** True time, epoch ms. */
  now = START;
  /** Wall clock of each agent's machine, against true time. */
  readonly #skew = new Map<TestAgent, number>();
  readonly #facts: TestFacts | null = null;
  readonly #flat = new Set<string>();
  #quiescent = false;
  #feedBroken = false;
  #offlineUntil = 0;
  #masterCopies: Buffer[] = [];
  #agentCopies: Buffer[] = [];
  #lostJournals: Buffer[] = [];
  readonly #steps: number;
  /** Of its own, so that a seed tells the same story whether its agents hold the running minute back or not. */
  readonly #pace: Random;
  readonly #holds: boolean;
  #files = 0;
  /** Whether an agent ever died with something not yet flushed. */
  crashed = false;

  constructor(options: ScheduleOptions) {
    this.seed = options.seed;
    this.random = new Random(options.seed);
    this.#pace = new Random(options.seed + 1);
    this.#holds = this.#pace.chance(0.6);
    const density = this.random.pick([0.15, 0.3, 0.5]);
    this.faults = new Set(options.faults ?? FAULTS.filter(() => this.random.chance(density)));
    this.#steps = options.steps ?? this.random.between(20, 60);
    this.directory = workDirectory();
    mkdirSync(this.directory, { recursive: true });
    this.core = new SimulatedCore({ seed: options.seed, startAt: START, profile: null });
    this.master = new TestMaster(join(this.directory, 'master.db'), () => this.now);
    if (options.seed % FACTS_EVERY === 0) {
      this.#facts = new TestFacts(
        join(this.directory, 'facts.duckdb'),
        this.master,
        this.random,
        new Random(options.seed + 2),
        () => this.now,
      );
    }
    if (this.has('small-batches')) this.master.maxRows = this.random.between(2, 12);
    this.network = new Network(this.random, (path, body) => this.master.deliver(path, body));
    if (this.random.chance(0.5)) for (let i = 0; i < 4; i++) this.#openConnection();
    this.#addAgent('a');
    if (this.has('two-agents')) this.#addAgent('b');
    this.#setFaults();
  }

  has(fault: Fault): boolean {
    return this.faults.has(fault);
  }

  get facts(): TestFacts | null {
    return this.#facts;
  }

  /** Each agent id had one journal all along, never set back: what it knows can be told from what it was shown. */
  get oneJournal(): boolean {
    return !OTHER_JOURNALS.some((fault) => this.has(fault));
  }

  /** Whether minutes and unattributed bytes are promised for this schedule. */
  get exactMinutes(): boolean {
    for (const fault of this.faults) if (COARSENING.has(fault)) return false;
    return true;
  }

  #setFaults(): void {
    const p = (fault: Fault, probability: number) => (this.has(fault) ? probability : 0);
    this.network.faults = {
      drop: p('drop', 0.25),
      loseAnswer: p('lose-answer', 0.25),
      duplicate: p('duplicate', 0.25),
      delay: p('delay', 0.25),
      crash: p('agent-crash', 0.08),
      badGateway: p('drop', 0.05),
    };
  }

  #addAgent(agentId: string, content: Buffer | null = null): TestAgent {
    const path = join(this.directory, `agent-${this.#files++}.db`);
    let skew = this.has('clock-skew') ? this.random.between(-5 * MINUTE, 5 * MINUTE) : 0;
    if (this.has('no-clock')) skew = -this.now;
    const network = this.network.transport();
    const options = {
      path,
      agentId,
      core: this.core,
      transport: {
        ...network,
        post: (path: '/api/v1/sync' | '/api/v2/sync', body: string) => {
          this.#meanwhile(agent);
          return network.post(path, body);
        },
      },
      monotonic: () => this.now,
      wall: () => this.now + (agent === undefined ? skew : (this.#skew.get(agent) ?? 0)),
      retentionDays: this.has('retention') ? 1 : 7,
      journalBudget: this.has('disk-budget') ? 200_000 : 512 * 1024 * 1024,
      random: () => this.random.next(),
      holds: () => this.#holds && this.#pace.chance(0.8),
    };
    let agent: TestAgent | undefined;
    if (content !== null) TestAgent.prototype.replaceFile.call({ options }, content);
    agent = new TestAgent(options);
    this.#skew.set(agent, skew);
    skew = 0;
    this.agents.push(agent);
    return agent;
  }

  /** While a batch is on its way, the books go on. */
  #meanwhile(agent: TestAgent | undefined): void {
    if (agent === undefined || this.#quiescent || !this.random.chance(0.15)) return;
    this.#traffic();
    if (!this.#feedBroken) agent.look();
    agent.flush();
  }

  async run(): Promise<void> {
    await this.#facts?.start();
    for (let step = 0; step < this.#steps; step++) {
      this.#pass();
      this.#traffic();
      this.#coreFaults();
      this.#look();
      for (const agent of this.agents) if (this.random.chance(0.6)) agent.flush();
      await this.#agentFaults();
      this.#masterFaults();
      await this.#facts?.step(this.faults);
      for (const agent of [...this.agents]) await this.#sync(agent);
      if (this.has('retention') || this.has('disk-budget')) {
        for (const agent of this.agents)
          if (agent.alive && this.random.chance(0.2)) agent.recorder.housekeep();
      }
    }
    await this.#quiesce();
  }

  #pass(): void {
    let ms = this.random.pick([200, 1000, 1000, 5000, 20_000, 61_000]);
    if (this.has('days-offline') && this.random.chance(0.04)) {
      this.#offlineUntil = this.now + this.random.between(1, 3) * DAY;
    }
    if (this.now < this.#offlineUntil) ms = this.random.between(1, 9) * 3_600_000;
    if (this.has('retention') && this.random.chance(0.05)) ms = DAY;
    this.now += ms;
    this.core.advance(ms);
    this.network.down = this.now < this.#offlineUntil;
    for (const agent of this.agents) {
      if (this.has('no-clock')) {
        // Reached by NTP, or not, or started anew without it.
        if (this.random.chance(0.1)) this.#skew.set(agent, this.random.chance(0.7) ? 0 : -this.now);
      } else if (this.has('clock-jump') && this.random.chance(0.04)) {
        const far = this.random.pick([15 * MINUTE, 3 * 3_600_000, 3 * DAY]);
        this.#skew.set(agent, this.random.pick([0, far, -far]));
      }
    }
    if (this.has('clock-skew') && this.random.chance(0.1)) {
      for (const agent of this.agents) {
        this.#skew.set(agent, this.random.between(-4 * MINUTE, 4 * MINUTE));
      }
    }
  }

  #openConnection(): void {
    const { random } = this;
    const overlay = random.chance(0.15);
    this.core.open(
      overlay
        ? { type: 'Inner', process: '', host: 'hop.example', chains: ['hop'] }
        : {
            type: 'HTTPS',
            host: `h${random.between(1, 6)}.example`,
            sourceIP: '192.168.1.2',
            chains: ['hk', 'Auto'],
          },
      { download: random.between(0, 50_000), upload: random.between(0, 5000) },
    );
  }

  #traffic(): void {
    const { random, core } = this;
    for (let i = random.between(0, 2); i > 0; i--) this.#openConnection();
    for (const id of core.ids()) {
      // Like a datagram flow that is over: listed for long, without a byte.
      if (this.#flat.has(id)) {
        if (random.chance(0.03)) core.close(id);
        continue;
      }
      if (random.chance(0.5)) core.move(id, random.between(0, 1_000_000), random.between(0, 100_000));
      if (random.chance(0.12)) core.close(id, { lateDownload: random.between(0, 3000) });
      else if (random.chance(0.03)) this.#flat.add(id);
      else if (this.has('torn-snapshot') && random.chance(0.1)) {
        core.moveWithinSnapshot(id, random.between(0, 200_000), random.between(0, 20_000));
      }
    }
    if (random.chance(0.3)) core.moveUnlisted(random.between(0, 9000), random.between(0, 900));
  }

  #coreFaults(): void {
    const { random, core } = this;
    if (this.has('core-restart') && random.chance(0.06)) {
      core.restart(0);
      for (const agent of this.agents) agent.breakFeed('core-down');
      if (random.chance(0.5)) this.#openConnection();
    }
    if (this.has('ambiguous-gap') && random.chance(0.06)) {
      // Restarted unseen, and busy: the totals are past the old ones when they are seen again.
      const { downloadTotal, uploadTotal } = core.totals;
      for (const agent of this.agents) agent.breakFeed('core-down');
      core.restart(0);
      if (random.chance(0.7)) this.#openConnection();
      core.moveUnlisted(downloadTotal + random.between(1, 90_000), uploadTotal + random.between(1, 9000));
    }
    if (this.has('statistics-reset') && random.chance(0.06)) core.resetStatistics();
    if (this.has('stall')) {
      if (!this.#feedBroken && random.chance(0.08)) {
        this.#feedBroken = true;
        for (const agent of this.agents) agent.breakFeed('stalled');
      } else if (this.#feedBroken && random.chance(0.4)) {
        this.#feedBroken = false;
      }
    }
  }

  #look(): void {
    if (this.#feedBroken) return;
    for (const agent of this.agents) agent.look();
  }

  async #agentFaults(): Promise<void> {
    const { random } = this;
    for (const agent of [...this.agents]) {
      if (this.has('agent-crash') && agent.alive && random.chance(0.06)) this.#kill(agent);
      if (!agent.alive && random.chance(0.5)) agent.start();
      if (this.has('disk-full') && random.chance(0.2)) agent.diskFull(random.chance(0.5));
    }
    const main = this.agents[0];
    if (main === undefined) return;
    if (this.has('restore-agent') && random.chance(0.1)) this.#agentCopies.push(main.copy());
    if (this.has('restore-agent') && this.#agentCopies.length > 0 && random.chance(0.06)) {
      this.#kill(main);
      main.replaceFile(random.pick(this.#agentCopies));
      main.start();
    }
    if (this.has('clone') && this.agents.length < 4 && random.chance(0.05)) {
      this.#addAgent('a', main.copy());
    }
    if (this.has('journal-lost') && random.chance(0.03)) {
      this.#lostJournals.push(main.copy());
      this.#kill(main);
      main.replaceFile(null);
      main.start();
    }
    if (this.has('old-journal-back') && this.#lostJournals.length > 0 && random.chance(0.06)) {
      this.#kill(main);
      main.replaceFile(random.pick(this.#lostJournals));
      main.start();
    }
  }

  #kill(agent: TestAgent): void {
    if (agent.alive) this.crashed = true;
    agent.kill();
  }

  #masterFaults(): void {
    const { random, master } = this;
    if (this.has('master-crash')) {
      if (master.alive && random.chance(0.06)) master.kill();
      else if (!master.alive && random.chance(0.6)) master.start();
    }
    if (!master.alive) return;
    if (this.has('restore-master') && random.chance(0.08)) this.#masterCopies.push(master.copy());
    if (this.has('restore-master') && this.#masterCopies.length > 0 && random.chance(0.05)) {
      master.kill();
      master.replaceFile(random.pick(this.#masterCopies));
      master.start();
    }
    if (this.has('v1-fallback') && random.chance(0.05)) master.onlyV1 = !master.onlyV1;
    if (this.has('prune') && random.chance(0.15)) master.prune(PRUNE_AFTER_MS, this.facts !== null);
  }

  async #sync(agent: TestAgent): Promise<void> {
    if (!this.random.chance(0.6)) return;
    if (this.has('v1-replaced') && this.random.chance(0.2)) this.#sendV1(agent);
    for (let i = this.random.between(1, 3); i > 0; i--) {
      if ((await agent.sync()) !== 'more') return;
    }
  }

  /** An agent of the original, under the same id, on the same core: absolute counters, no base, no totals. */
  #sendV1(agent: TestAgent): void {
    const at = new Date(this.now).toISOString();
    const connections = [...this.core.truth.connections.values()]
      .filter((c) => c.listedAt !== null && c.closedAt === null)
      .map((c) => ({
        id: c.id,
        download: c.listedDownload,
        upload: c.listedUpload,
        last_updated: at,
        start: at,
        conn_type: c.fields.type,
        process: c.fields.process,
        host: c.fields.host,
        agent_id: null,
      }));
    this.master.deliver(
      '/api/v1/sync',
      JSON.stringify({ agent_id: agent.options.agentId, connections, timestamp: at }),
    );
  }

  /** All faults end: everybody lives, sees one last snapshot, and delivers until nothing is left. */
  async #quiesce(): Promise<void> {
    this.#quiescent = true;
    this.network.drain();
    this.master.onlyV1 = false;
    this.network.faults = NO_FAULTS;
    this.network.down = false;
    if (!this.master.alive) this.master.start();
    for (const agent of this.agents) {
      agent.diskFull(false);
      if (!agent.alive) agent.start();
    }
    // An agent that fell back to the original's wire looks for the newer one every hour.
    const last = this.has('v1-fallback') ? 3_601_000 : 1000;
    this.now += last;
    this.core.advance(last);
    for (const agent of this.agents) {
      agent.look();
      agent.flush(true);
    }
    // A clone's delivery can set the other one back once more: both must come to rest.
    for (let round = 0; round < 3; round++) {
      for (const agent of this.agents) {
        agent.retryNow();
        let steps = 0;
        while ((await agent.sync(false)) === 'more') {
          if (++steps > 5000) throw new Error('sync does not come to rest');
        }
      }
    }
    await this.#facts?.quiesce();
  }

  async close(): Promise<void> {
    await this.#facts?.stop();
    for (const agent of this.agents) agent.kill();
    this.master.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
